"""Why a line of POST /facts was not accepted: a code, the field, and a sentence."""

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
    "Invalid value": "UNKNOWN_TYPE",  # msgspec says it only of the field `type`
}


HINTS = {  # what to send instead, by how msgspec's sentence begins; the first that fits
    r"Invalid RFC3339|Expected `.*datetime": "Write a time with its zone, such as 2026-11-25T12:00:00+02:00.",
    r"Expected `str.*got `float` .*`amount`": 'Send it as text, such as "12.50": a JSON number may be rounded.',
    r"Expected `str.*got `(int|float)`": "Send it as text, in quotes.",
    r"Expected `int.*got `(str|float)`": "Send a whole number, without quotes.",
    r"Expected `array.*got `(str|int|object)`": "Send a list, in brackets.",
}


class Refusal(Malformed):
    """`code`: INVALID_JSON, UNKNOWN_TYPE, UNKNOWN_FIELD, MISSING_FIELD, INVALID_VALUE, TOO_LARGE or CONFLICT.

    `allowed`: the values that `field` may have, or the fields that its object may have; empty where they are no list.
    """

    def __init__(
        self, sentence: str, code: str = "INVALID_VALUE", field: str = "", allowed: tuple[str, ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.code, self.field, self.allowed = code, field, allowed


Line = bytes | Refusal  # as it was sent, or why it is not a fact


def of_decoding(error: Exception) -> Refusal:
    """Turns an error of msgspec into a refusal. The field is a path such as `phones[0].text`."""
    text = str(error)
    found, named = PLACE.search(text), NAMED.search(text)
    path = found[1] if found else ""
    sentence = PLACE.sub(f" in `{path}`" if path else "", text) + "."
    if not isinstance(error, msgspec.ValidationError):
        return Refusal(sentence, "INVALID_JSON")
    hint = next((hint for begin, hint in HINTS.items() if re.match(begin, sentence)), "")
    sentence = f"{sentence} {hint}" if hint else sentence
    code = next((code for begin, code in CODES.items() if text.startswith(begin)), "INVALID_VALUE")
    field = ".".join(part for part in (path, named[1] if named else "") if part)
    return Refusal(sentence, code, field)


class Verdict(Struct, frozen=True, gc=False, omit_defaults=True):
    """The result of one line. All fields but the first two are of lines that were not accepted."""

    status: str  # accepted, repeated, conflict or refused; in a dry run would_accept
    id: Id | UnsetType = UNSET
    error: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    your_id: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    field: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    allowed: tuple[str, ...] | UnsetType = UNSET


class LineNames(Struct, gc=False):
    """The id and the type of a line that is invalid otherwise."""

    id: Any = None
    type: Any = None


NO_NAMES = LineNames()
LINE_NAMES = msgspec.json.Decoder(LineNames)


def verdict_of(error: Malformed, number: int, line: Line, status: str = "refused") -> Verdict:
    """Returns the verdict on a line that was not accepted. `error` is `message` with the line number."""
    refusal = error if isinstance(error, Refusal) else Refusal(str(error), "TOO_LARGE")
    return Verdict(
        status,
        error=f"Line {number}: {refusal}",
        line=number,
        your_id=id_in(line) or UNSET,
        code=refusal.code,
        field=refusal.field or UNSET,
        message=str(refusal),
        allowed=refusal.allowed or UNSET,
    )


def id_in(line: Line) -> str:
    """Returns the client's own id of a line; empty when there is none."""
    given = names_in(line).id
    return given if isinstance(given, str) else ""


def type_in(line: Line) -> str:
    """Returns the type that a line names; empty when it names none."""
    given = names_in(line).type
    return given if isinstance(given, str) else ""


def names_in(line: Line) -> LineNames:
    if isinstance(line, Refusal):
        return NO_NAMES
    try:
        return LINE_NAMES.decode(line)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return NO_NAMES
