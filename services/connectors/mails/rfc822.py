"""A mail as it travels (RFC 5322 with MIME), as mail servers give it, and vendors that hand on the original."""

import base64
import re
from email import message_from_bytes
from email.message import Message
from functools import lru_cache
from hashlib import sha256

from msgspec.structs import replace

from crm.errors import Malformed
from crm.shared import Attachment
from services.connectors.mails.mail import Mail, first_headers, mail_of_headers, message_ids
from services.connectors.mails.words import decoded, decoded_words, raw_text

_NAME = re.compile(r'name="?([^";]+)')
LONGEST_REASON = 1_000
_LONGEST_TYPE = 200  # characters of a content type that is kept with what it says: most mails have one of a few
RETURNED = ("message/rfc822", "text/rfc822-headers")  # in a bounce: the mail that came back


def read_mail(raw: bytes, whole: str = "") -> Mail:
    """Reads whatever it is as a mail. `whole`: where all of it is, when this is only its beginning. Raises Malformed
    when its parts are nested too deeply."""
    try:
        message = message_from_bytes(raw)
        headers = first_headers([(name, raw_text(value)) for name, value in message.raw_items()])
        return _read(message, _joined(message, headers), whole)
    except RecursionError:
        raise Malformed("Its parts are nested too deeply.") from None


def headers_in(raw: bytes) -> dict[str, str]:
    """Returns the headers of a text that has nothing else."""
    return first_headers([(name, raw_text(value)) for name, value in message_from_bytes(raw).raw_items()])


def _joined(message: Message, headers: dict[str, str]) -> dict[str, str]:
    """The recipients of all headers with one name."""
    for name in ("to", "cc", "bcc", "reply-to"):
        if name in headers:
            every = (raw_text(value) for key, value in message.raw_items() if key.lower() == name)
            headers[name] = ", ".join(filter(None, every))
    return headers


def _read(message: Message, headers: dict[str, str], whole: str) -> Mail:
    texts: dict[str, list[str]] = {"plain": [], "html": []}
    files: list[Attachment] = []
    inline: dict[str, str] = {}
    cut = last_parts(message) if whole else []
    parts = [(part, *type_of(part)) for part in message.walk()]
    for part, kind, charset in parts:
        if kind.startswith("multipart/"):
            continue
        name = file_name(part)
        if not name and (sort := {"text/plain": "plain", "text/": "plain", "text/html": "html"}.get(kind)):
            texts[sort].append(decoded(content_of(part), charset))
        if not name and "content-id" not in part and kind != "message/rfc822":
            continue
        content, id = content_of(part), content_id(part)
        if any(part is one for one in cut):
            files.append(Attachment("file", name, kind, 0, whole))
            continue
        ref = f"sha256:{sha256(content).hexdigest()}"
        files.append(Attachment("file", name, kind, len(content), ref))
        if id:
            inline[id] = ref
    said: dict[str, object] = {"text": "".join(texts["plain"]), "html": "".join(texts["html"])}
    mail = mail_of_headers(headers, files=tuple(files), inline=inline, **said)
    if parts[0][1] != "multipart/report":
        return mail
    came_back = tuple(id for part, kind, _ in parts if kind in RETURNED for id in returned(part))
    mail = replace(mail, references=(*mail.references, *came_back))
    reports = [part for part, kind, _ in parts if kind == "message/delivery-status"]
    why = given_up(reports) if came_back else None
    return mail if why is None else replace(mail, returned=came_back[-1], reason=why)


def type_of(part: Message) -> tuple[str, str]:
    """Returns the content type of a part and its charset; empty where none is said."""
    header = part.get("content-type", "")
    if isinstance(header, str) and 0 < len(header) <= _LONGEST_TYPE and "boundary" not in header:
        return _type_said(header)
    return part.get_content_type(), str(part.get_param("charset") or "")


@lru_cache(maxsize=1_024)
def _type_said(header: str) -> tuple[str, str]:
    said = Message()
    said["content-type"] = header
    return said.get_content_type(), str(said.get_param("charset") or "")


def last_parts(message: Message) -> list[Message]:
    """Returns the last part, and all in which it lies: of a mail that was cut off, those that are not whole."""
    parts = [message]
    while isinstance(inner := parts[-1].get_payload(), list) and inner and isinstance(inner[-1], Message):
        parts.append(inner[-1])
    return parts


def content_id(part: Message) -> str:
    return raw_text(str(part.get("content-id", ""))).strip("<> ")


def file_name(part: Message) -> str:
    if "content-disposition" not in part and "name" not in str(part.get("content-type", "")).lower():
        return ""
    try:
        found = part.get_filename() or ""
    except (LookupError, ValueError):  # a charset that there is not
        found = ""
    name = decoded_words(raw_text(found))
    if "\ufffd" in name:  # written in its letters and not encoded
        for header in ("content-disposition", "content-type"):
            if plain := _NAME.search(next((raw_text(v) for k, v in part.raw_items() if k.lower() == header), "")):
                return plain[1]
    return name


def content_of(part: Message) -> bytes:
    """Returns the bytes of a part; of a mail within a mail, that mail."""
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes) and payload:
        return payload
    inner = part.get_payload()
    content = inner[0].as_bytes() if isinstance(inner, list) and inner and isinstance(inner[0], Message) else b""
    if content and str(part.get("content-transfer-encoding", "")).strip().lower() == "base64":
        try:
            return base64.b64decode(content)
        except ValueError:
            return content
    return content


def returned(part: Message) -> tuple[str, ...]:
    """Returns the Message-ID of the mail that a part of a bounce returns: it belongs to that mail's thread."""
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    mail = first if isinstance(first, Message) else message_from_bytes(content_of(part))
    return message_ids(str(mail.get("message-id", "")))[:1]


def given_up(reports: list[Message]) -> str | None:
    """Returns why a mail was given up, as its mail server says (RFC 3464); None for a report that says less, such as
    that it is late."""
    blocks = [
        block
        for part in reports
        if isinstance(part.get_payload(), list)
        for block in part.get_payload()
        if isinstance(block, Message)
    ]
    for block in blocks:
        if raw_text(str(block.get("action", ""))).strip().lower() == "failed":
            why = raw_text(str(block.get("diagnostic-code", ""))) or raw_text(str(block.get("status", "")))
            return " ".join(why.rpartition("smtp;")[2].split())[:LONGEST_REASON]
    return None
