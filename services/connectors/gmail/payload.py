"""A message as Gmail's API gives it with format=full or metadata: its parts as objects, without the files
(https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages)."""

from collections.abc import Iterator

from services.connectors.formats.exact_json import Value
from services.connectors.formats.values import at, records, text, whole_or_none
from services.connectors.mails.listed import Listed, files_of, headers_of, listed_file
from services.connectors.mails.mail import Mail, mail_of_headers
from services.connectors.mails.words import decoded
from services.connectors.signatures.jwt import from_base64url


def read_payload(payload: Value) -> Mail:
    """The `ref` of a file is its id at Gmail. Raises ValueError for a text that is no base64url."""
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    files: list[Listed] = []
    for part in leaves(payload):
        kind, name, id = text(part, "mimeType"), text(part, "filename"), text(part, "body", "attachmentId")
        if name or id:
            content_id = headers_of(records(part, "headers"), "name", "value").get("content-id", "")
            files.append(listed_file(name, kind, content_id, ref=id, size=whole_or_none(part, "body", "size") or 0))
        elif kind in texts:
            texts[kind].append(decoded(from_base64url(text(part, "body", "data").rstrip("=")), ""))
    headers = headers_of(records(payload, "headers"), "name", "value")
    said: dict[str, object] = {"text": "".join(texts["text/plain"]), "html": "".join(texts["text/html"])}
    return mail_of_headers(headers, **said, **files_of(files))


def leaves(payload: Value) -> Iterator[Value]:
    """Yields the parts that have no parts, in their order."""
    waiting = [payload]
    while waiting:
        part = waiting.pop()
        inner = at(part, "parts")
        if isinstance(inner, list) and inner:
            waiting += [one for one in reversed(inner) if isinstance(one, dict)]
        else:
            yield part
