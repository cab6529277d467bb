"""Why one line of POST /facts was not taken: a code for programs, the field, and a sentence for people."""

import re
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from crm.errors import Malformed
from crm.scalars import Id

PLACE = re.compile(r" - at `\$\.?([^`]*)`")
NAMED = re.compile(r"(?:unknown|required) field `([^`]+)`")
CODES = {
    "Object contains unknown field": "UNKNOWN_FIELD",
    "Object missing required field": "MISSING_FIELD",
    "Invalid value": "UNKNOWN_TYPE",  # msgspec says it of the field `type` alone
}


class Refusal(Malformed):
    """`code`: INVALID_JSON, UNKNOWN_TYPE, UNKNOWN_FIELD, MISSING_FIELD, INVALID_VALUE, TOO_LARGE or CONFLICT."""

    def __init__(self, sentence: str, code: str = "INVALID_VALUE", field: str = "") -> None:
        super().__init__(sentence)
        self.code, self.field = code, field


Line = bytes | Refusal  # as it was sent, or why it is none


def of_decoding(error: Exception) -> Refusal:
    """What msgspec says, as a refusal. Its place is a path: `phones[0].text`."""
    said = str(error)
    found, named = PLACE.search(said), NAMED.search(said)
    path = found[1] if found else ""
    sentence = PLACE.sub(f" in `{path}`" if path else "", said) + "."
    if not isinstance(error, msgspec.ValidationError):
        return Refusal(sentence, "INVALID_JSON")
    code = next((code for begin, code in CODES.items() if said.startswith(begin)), "INVALID_VALUE")
    field = ".".join(part for part in (path, named[1] if named else "") if part)
    return Refusal(sentence, code, field)


class Verdict(Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one line. All but the first two are of lines that were not taken."""

    status: str  # accepted, repeated, conflict or refused
    id: Id | UnsetType = UNSET
    error: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    your_id: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    message: str | UnsetType = UNSET


class Named(Struct, gc=False):
    """What is looked at of a line that cannot be read."""

    id: Any = None


NAMES = msgspec.json.Decoder(Named)


def verdict_of(error: Malformed, number: int, line: Line, status: str = "refused") -> Verdict:
    """`error` says the same as `message`, with the line before it."""
    refusal = error if isinstance(error, Refusal) else Refusal(str(error), "TOO_LARGE")
    return Verdict(
        status,
        error=f"Line {number}: {refusal}",
        line=number,
        your_id=name_in(line) or UNSET,
        code=refusal.code,
        field=refusal.field or UNSET,
        message=str(refusal),
    )


def name_in(line: Line) -> str:
    """The client's own id of a line, if it can be found in it."""
    if isinstance(line, Refusal):
        return ""
    try:
        given = NAMES.decode(line).id
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""
    return given if isinstance(given, str) else ""
