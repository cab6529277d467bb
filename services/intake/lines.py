"""Splits the three formats of POST /facts into lines: one JSON object per fact."""

import codecs
from collections.abc import Callable, Sequence

import msgspec

from services.intake.avro_file import MAX_FACTS, read_container
from services.intake.refusals import Line
from services.intake.reply import Stop, problem

MAX_BLANK = 200_000  # lines, blank ones included
BLANKS = b" \t\r\n"
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
AVRO = ("application/avro", "avro/binary", "application/vnd.apache.avro", "application/avro-binary")
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


def json_lines(body: bytes) -> list[bytes]:
    """Splits one object, or an array of objects. Each keeps its bytes as they were sent."""
    text = unmarked(body).strip(BLANKS)
    if not text.startswith(b"["):
        return [text] if text else []
    try:
        return [bytes(part) for part in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Stop(problem(400, f"The body is not valid JSON: {error}. Nothing was kept.")) from None


def nd_lines(body: bytes) -> list[bytes]:
    """Splits one object per line. A blank line is skipped but counts in line numbers."""
    text = unmarked(body).rstrip(BLANKS)
    if text.count(b"\n") >= MAX_BLANK:
        raise Stop(problem(413, f"The body has more than {MAX_BLANK} lines. Nothing was kept. Split it."))
    return [b"" if line.isspace() else line for line in text.split(b"\n")] if text else []


def unmarked(body: bytes) -> bytes:
    """Returns the body in UTF-8 without a byte order mark, which Windows programs write. Raises Stop."""
    if body[:1] not in b"\xef\xff\xfe":
        return body
    for mark, charset in MARKS.items():
        if body.startswith(mark):
            try:
                return body[len(mark) :].decode(charset).encode() if charset != "utf-8" else body[len(mark) :]
            except UnicodeDecodeError:
                raise Stop(problem(400, f"The body is not valid {charset.upper()}. Nothing was kept.")) from None
    return body


FORMATS: dict[str, Callable[[bytes], Sequence[Line]]] = {
    "application/json": json_lines,
    "": json_lines,
    **dict.fromkeys(NDJSON, nd_lines),
    **dict.fromkeys(AVRO, read_container),
}


def lines_of(content_type: str, body: bytes) -> Sequence[Line]:
    """Returns the lines, blank ones as b"". Raises Stop when the body cannot be read or has too many lines."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in FORMATS:
        why = f"Send application/json, {NDJSON[0]} or {AVRO[0]}, not {kind[:80]!r}. Nothing was kept."
        raise Stop(problem(415, why))
    lines = FORMATS[kind](body)
    if (facts := len(lines) - lines.count(b"")) > MAX_FACTS:
        raise Stop(problem(413, f"The request has {facts} facts, more than {MAX_FACTS}. Nothing was kept. Split it."))
    if not lines:
        raise Stop(problem(400, "The body contains no facts. Nothing was kept."))
    return lines


def is_ndjson(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in NDJSON
