"""What senders share: requests as data."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from crm.connector_send import Ask
from crm.shared import Attachment
from services.connectors.formats.exact_json import Tree, encode

# Codes of Meta's Graph API by which it asks for patience (https://developers.facebook.com/docs/graph-api/overview/rate-limiting)
META_BUSY = {"error.code": ("4", "17", "32", "613", "80007", "130429", "131056")}


def json_ask(path: str, body: Tree, headers: Mapping[str, str] | None = None) -> Ask:
    return Ask(path, {}, "POST", encode(body).encode(), {"content-type": "application/json", **(headers or {})})


def form_ask(path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Ask:
    form = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    return Ask(path, {}, "POST", urlencode(fields).encode(), form)


def multipart_ask(
    path: str,
    fields: Mapping[str, str],
    files: Iterable[tuple[str, Attachment, bytes]],
    boundary: str,
    headers: Mapping[str, str] | None = None,
) -> Ask:
    """Returns a form with files (RFC 7578). `boundary`: a text that no part has, such as a random id."""
    parts = [
        b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (n.encode(), v.encode()) for n, v in fields.items()
    ]
    for name, file, content in files:
        quoted = file.name.replace("\\", "").replace('"', "%22").replace("\r", "").replace("\n", "")
        head = f'Content-Disposition: form-data; name="{name}"; filename="{quoted}"\r\n'
        kind = f"Content-Type: {file.media_type or 'application/octet-stream'}\r\n\r\n"
        parts.append((head + kind).encode() + content)
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
    return Ask(path, {}, "POST", body, {"content-type": f"multipart/form-data; boundary={boundary}", **(headers or {})})


def token_missing(setting: str) -> str:
    return f"This connection has no {setting}: answers are sent with it. Set it, then send the answer again."
