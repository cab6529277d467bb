"""The three formats of POST /facts, each taken apart into lines: one JSON object a fact."""

from collections.abc import Callable

import msgspec

from services.intake.avro_file import read_container
from services.intake.reply import Stop, problem

MAX_LINES = 10_000
AVRO = ("application/avro", "avro/binary", "application/vnd.apache.avro", "application/avro-binary")
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


def json_lines(body: bytes) -> list[bytes]:
    """One object, or an array of them; each with its own bytes as they were sent."""
    text = body.strip(b" \t\r\n")
    if not text.startswith(b"["):
        return [text] if text else []
    try:
        return [bytes(part) for part in msgspec.json.decode(text, type=list[msgspec.Raw])]
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Stop(problem(400, f"The body is not valid JSON: {error}. Nothing was kept.")) from None


def nd_lines(body: bytes) -> list[bytes]:
    """An object a line. Empty lines at the end are no lines."""
    return body.rstrip(b" \t\r\n").split(b"\n") if body.strip(b" \t\r\n") else []


FORMATS: dict[str, Callable[[bytes], list[bytes]]] = {
    "application/json": json_lines,
    "": json_lines,
    **dict.fromkeys(NDJSON, nd_lines),
    **dict.fromkeys(AVRO, read_container),
}


def lines_of(content_type: str, body: bytes) -> list[bytes]:
    """Raises Stop when the body as a whole cannot be read, or holds too many."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in FORMATS:
        raise Stop(
            problem(415, f"Send application/json, {NDJSON[0]} or {AVRO[0]}, not {kind[:80]!r}. Nothing was kept.")
        )
    lines = FORMATS[kind](body)
    if len(lines) > MAX_LINES:
        raise Stop(
            problem(413, f"{len(lines)} facts in one request are more than {MAX_LINES}. Nothing was kept. Split them.")
        )
    if not lines:
        raise Stop(problem(400, "The body holds no fact. Nothing was kept."))
    return lines


def is_ndjson(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in NDJSON
