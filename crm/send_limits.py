"""What a vendor takes of an answer: checked before it is queued, so that nothing is queued that cannot be sent."""

import re
from collections.abc import Iterator

from msgspec import Struct

HOUR = 3_600_000_000  # microseconds
KINDS = {"photo": "photos", "video": "videos", "audio": "sound files"}
PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")  # where a template's text has a value


class Limits(Struct, frozen=True, omit_defaults=True):
    """What one message may hold, how many go out, and until when a customer may be answered. 0: any number."""

    text: int = 0  # characters
    text_bytes: int = 0  # the same in bytes of UTF-8, for vendors that count these
    caption: int = 0  # characters next to a file; 0: as many as of text, -1: none
    files: int = 0  # in one message; 0: none
    file_bytes: int = 0  # of one file
    kind_bytes: dict[str, int] = {}  # the same of a photo, video or audio, where it is less
    window_hours: int = 0  # after the customer last wrote
    templates: bool = False  # approved messages may be sent at any time
    per_second: float = 0.0  # of one connection
    chat_per_second: float = 0.0
    needs: tuple[str, ...] = ()  # settings that it is sent with


def problem_of_text(limits: Limits, name: str, text: str, files: int) -> str:
    """Returns why a text cannot be sent, as a sentence; empty when it can. `name`: the connector's."""
    longest = limits.caption if files and limits.caption else limits.text
    if longest < 0 and text:
        return f"{name} takes a file without a text: send two messages."
    if longest > 0 and len(text) > longest:
        next_to = " next to a file" if files and limits.caption else ""
        return f"{name} takes at most {longest} characters{next_to}, and this text has {len(text)}."
    if limits.text_bytes and (size := len(text.encode("utf-8", "replace"))) > limits.text_bytes:
        return f"{name} takes a text of at most {limits.text_bytes} bytes, and this one has {size}."
    return ""


def longest_of(limits: Limits, kind: str) -> int:
    """Returns how many bytes a file of this kind may have; 0: any number."""
    return limits.kind_bytes.get(kind, limits.file_bytes)


def problem_of_file(limits: Limits, name: str, size: int, kind: str = "") -> str:
    """Returns why a file cannot be sent. `size`: in bytes; 0: not known."""
    longest = longest_of(limits, kind)
    if longest and size > longest:
        most, has = f"{longest / 1_000_000:g}", f"{size / 1_000_000:.1f}"
        files = KINDS[kind] if kind in limits.kind_bytes else "files"
        return f"{name} takes {files} of at most {most} MB, and this one has {has} MB."
    return ""


def problem_of_window(limits: Limits, name: str, asked_at: int, now: int) -> str:
    """Returns why a customer cannot be answered now. `asked_at`: when they last wrote, 0 for never; microseconds."""
    if not limits.window_hours or now - asked_at <= limits.window_hours * HOUR:
        return ""
    since = f"wrote {(now - asked_at) // HOUR} hours ago" if asked_at else "has never written here"
    templates = " Until they write again, send a template that was approved." if limits.templates else ""
    return f"{name} lets a customer be answered for {limits.window_hours} hours, and this one {since}.{templates}"


def places_in(text: str) -> Iterator[str]:
    """Yields the names of the places of a template's text, each once."""
    yield from dict.fromkeys(PLACE.findall(text))


def filled(text: str, values: dict[str, str]) -> str:
    """Returns a template's text with its values."""
    return PLACE.sub(lambda place: values.get(place[1], place[0]), text)
