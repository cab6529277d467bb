"""Files of messages, forms and calls: which can be fetched, and whether what came is what was announced."""

import re
from collections.abc import Iterator
from typing import Any

import filetype
from msgspec import Struct

from crm.scalars import Id, Micros
from crm.shared import Attachment

ANY = "application/octet-stream"
DIGEST = "sha256:"  # and 64 hex digits: a reference to a part of the fact that it came with
SHOWN = re.compile(r"image/(?:png|jpeg|gif|webp|heic)|audio/[\w.+-]+|video/[\w.+-]+|application/pdf")
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|script|svg|\?xml)", re.IGNORECASE)
# What a vendor's word for a file's kind promises; any other may be anything.
_KINDS = {
    **dict.fromkeys(("photo", "image", "picture", "sticker"), "image"),
    **dict.fromkeys(("voice", "audio", "recording", "video", "video_note", "animation"), "media"),
}
_MEDIA = ("audio", "video")  # a container such as MP4 is either


class StoredLink(Struct, frozen=True, omit_defaults=True):
    """What became of an attachment: stored under the SHA-256 of its content, or `reason` says why it stays a link."""

    ref: str
    sha256: str = ""
    media_type: str = ""  # by its content
    size: int = 0  # bytes
    name: str = ""
    reason: str = ""


class Wanted(Struct, frozen=True):
    """A file to fetch: of which workspace, by which connection it came (`source`) and in which fact (topic, partition,
    offset). `tries`: how often it was not reached; `at`: when it is tried next."""

    workspace: Id
    attachment: Attachment
    source: str = ""
    fact: tuple[str, int, int] = ("", -1, -1)
    tries: int = 0
    at: Micros = Micros(0)


def attachments_of(event: Any) -> Iterator[Attachment]:
    """Yields what an event brings that has an address, an id of its vendor or a digest."""
    found = (*(getattr(event, "attachments", None) or ()), *(getattr(event, "files", None) or ()))
    if isinstance(recording := getattr(event, "recording", ""), str) and recording:
        found = (*found, Attachment("recording", ref=recording))
    yield from (one for one in found if one.ref)


def is_web_address(ref: str) -> bool:
    return ref.lower().startswith(("http://", "https://"))


def media_type_of(content: bytes) -> str:
    """Returns the type of a file by its first bytes, of those that a browser only shows; else octet-stream."""
    kind = filetype.guess_mime(content[:8_192])
    return kind if kind and SHOWN.fullmatch(kind) else ANY


def wrong_type(announced: Attachment, content: bytes) -> str:
    """Returns why the content cannot be the file that was announced; empty when it may be."""
    expected = _major(announced)
    if not expected:
        is_page = _HTML.match(content[:1_000]) is not None and "html" not in announced.media_type
        return "It is a web page and not the file." if is_page and not _is_markup(announced) else ""
    found = filetype.guess_mime(content[:8_192]) or ""
    major = found.partition("/")[0]
    if ("media" if major in _MEDIA else major) == expected:
        return ""
    kind = announced.media_type or announced.kind
    return f"It is announced as {kind[:100]} and is {found or 'a web page or a text'}."


def _major(announced: Attachment) -> str:
    major = announced.media_type.partition("/")[0].lower()
    if major in _MEDIA:
        return "media"
    return "image" if major == "image" else "" if major else _KINDS.get(announced.kind.lower(), "")


def _is_markup(announced: Attachment) -> bool:
    return announced.media_type.endswith(("xml", "svg+xml")) or announced.name.lower().endswith(
        (".xml", ".svg", ".html")
    )
