"""multipart/form-data: fields as bytes, files as attachments whose content stays in the raw body."""

import logging
import re
from dataclasses import dataclass, field
from hashlib import sha256

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from crm.errors import Malformed

MOST_PARTS = 10_000
_LONGEST = 72  # of a boundary with its dashes
_PLAIN_PART = re.compile(
    rb'\r\n[Cc]ontent-[Dd]isposition: form-data; name="([^"\\\r\n]{0,400})"\r\n\r\n(.*)', re.DOTALL
)
_FIRST = re.compile(rb"\s*--([^\r\n]{1,70})\r?\n(?=[Cc]ontent-)")
logging.getLogger("python_multipart").setLevel(logging.ERROR)  # what is wrong is said in the quarantine


@dataclass
class Part:
    """One part as it stands in the body."""

    headers: dict[str, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)
    closed: bool = False

    @property
    def options(self) -> dict[bytes, bytes]:
        return parse_options_header(self.headers.get("content-disposition", b""))[1]

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", b"").decode("ascii", "replace")

    @property
    def ref(self) -> str:
        """Returns how to find the file again in the raw bytes."""
        return f"sha256:{sha256(self.content).hexdigest()}"


def boundary_in(body: bytes, named: bytes) -> bytes:
    """Returns the boundary of the header if the body has it, else the one that the body begins with."""
    if named and b"--" + named in body:
        return named
    found = _FIRST.match(body)
    return found[1] if found else named


def plain_fields(body: bytes, boundary: bytes) -> list[tuple[bytes, bytes]] | None:
    """Returns name and content of every part of a body without files; None for any other: see `parts_of`."""
    begin = b"--" + boundary
    if not body.startswith(begin) or len(begin) > _LONGEST:
        return None
    parts = body[len(begin) :].split(b"\r\n" + begin)
    if parts.pop() not in (b"--", b"--\r\n") or len(parts) > MOST_PARTS:
        return None
    fields: list[tuple[bytes, bytes]] = []
    for part in parts:
        if not (found := _PLAIN_PART.fullmatch(part)):
            return None
        fields.append((found[1], found[2]))
    return fields


def parts_of(body: bytes, boundary: bytes) -> tuple[list[Part], bool]:
    """Returns the complete parts in the body's order, and whether it was cut off. A text that was cut counts as a part.

    A text that was cut ends in U+FFFD. Raises Malformed where no part is whole.
    """
    begin = b"--" + boundary
    if b"\r\n" not in body and b"filename" not in body:
        body = body.replace(b"\n", b"\r\n")  # written by hand
    if (at := body.find(begin)) > 0:
        body = body[at:]
    reader, problem = _Reader(), ""
    parser = reader.parser(boundary)
    try:
        parser.write(body)
    except (FormParserError, UnicodeError) as error:
        problem = f"The multipart body cannot be read: {error}."
    if reader.ended:
        return reader.parts, False
    parts = [part for part in reader.parts if part.closed]
    if reader.parts and not (last := reader.parts[-1]).closed and last.options.get(b"name") and not problem:
        whole = body.endswith(tuple((b"\r\n" + begin)[:length] for length in range(2, len(begin) + 3)))
        if whole:
            parts.append(last)
        elif b"filename" not in last.options and parts:
            last.content.extend("\ufffd".encode())
            parts.append(last)
    if not parts:
        raise Malformed(problem or "The multipart body is cut off: its last boundary is missing.")
    return parts, True


@dataclass
class _Reader:
    parts: list[Part] = field(default_factory=list)
    ended: bool = False
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)

    def parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self.begin,
                "on_part_end": self.end_part,
                "on_part_data": lambda data, start, end: self.parts[-1].content.extend(data[start:end]),
                "on_header_field": lambda data, start, end: self.header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self.value.extend(data[start:end]),
                "on_header_end": self.end_header,
                "on_end": self.end,
            },
        )

    def begin(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise Malformed(f"The form has more than {MOST_PARTS} parts.")
        self.parts.append(Part())

    def end_part(self) -> None:
        self.parts[-1].closed = True

    def end_header(self) -> None:
        self.parts[-1].headers[self.header.decode("latin-1").lower()] = bytes(self.value)
        self.header.clear()
        self.value.clear()

    def end(self) -> None:
        self.ended = True
