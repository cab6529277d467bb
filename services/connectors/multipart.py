"""multipart/form-data: fields as bytes, files as attachments whose content stays in the raw body."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from crm.errors import Malformed

MOST_PARTS = 10_000
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
        """How to find the file again in the raw bytes."""
        return f"sha256:{sha256(self.content).hexdigest()}"


def parts_of(body: bytes, boundary: bytes) -> Iterator[Part]:
    """Every part in the body's order. Raises Malformed when it is cut off or no multipart at all."""
    reader = _Reader()
    try:
        reader.parser(boundary).write(body)
    except (FormParserError, UnicodeError) as error:
        raise Malformed(f"The multipart body cannot be read: {error}.") from None
    if not reader.ended:
        raise Malformed("The multipart body is cut off: its last boundary is missing.")
    yield from reader.parts


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

    def end_header(self) -> None:
        self.parts[-1].headers[self.header.decode("latin-1").lower()] = bytes(self.value)
        self.header.clear()
        self.value.clear()

    def end(self) -> None:
        self.ended = True
