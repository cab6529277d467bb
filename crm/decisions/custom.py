"""Custom fields that a person gives: only those that were defined, each a value of its type."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from crm.commands import Code, Rejected
from crm.decisions.case import State
from crm.state import Definition, Fields

NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?")
LONGEST = 20_000  # characters of a value
NULL = "null"
LONGEST_NUMBER = 1000  # digits before or behind the point; jsonb stops at 16,383 behind it


def measured(text: str) -> Decimal:
    """Raises ValueError or ArithmeticError for a number that is longer than any that means something."""
    number = Decimal(text)
    if max(abs(number.adjusted()), len(text)) > LONGEST_NUMBER:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} digits")
    return number


JSON = msgspec.json.Decoder(float_hook=measured)


def checked(state: State, entity: str, given: Mapping[str, str], whole: bool) -> dict[str, str]:
    """The values as JSON text, ready for an event. `whole`: nothing is there yet, so what is required must be given.

    A form may still bring fields that nobody defined. Raises Rejected.
    """
    fields = state.get(Fields, entity)
    known = fields.known if fields else {}
    values = {name: value(known.get(name), name, text) for name, text in given.items()}
    for name, definition in known.items():
        if definition.required and not definition.retired and values.get(name, NULL if whole else "") == NULL:
            raise refusal(name, Code.REQUIRED, f"{definition.label!r} must have a value.")
    return {name: text for name, text in values.items() if not (whole and text == NULL)}


def value(definition: Definition | None, name: str, text: str) -> str:
    if definition is None or definition.retired:
        raise refusal(name, Code.NOT_FOUND, f"No field {name!r} is defined. Define it first.")
    try:
        return normal(definition, text)
    except ValueError as error:
        raise refusal(name, Code.INVALID, str(error)) from None


def normal(definition: Definition, text: str) -> str:
    """The JSON text of a value as it is kept. Raises ValueError with a sentence when it does not fit."""
    if text == NULL:
        return text
    try:
        given = JSON.decode(text)
    except (ValueError, ArithmeticError, RecursionError):
        raise ValueError("Its value is no JSON.") from None
    if definition.type == "number" and isinstance(given, str) and NUMBER.fullmatch(given):
        return given  # a decimal that JSON numbers of most languages would round
    if len(text) > LONGEST or not fits(definition, given):
        raise ValueError(wants(definition))
    return text


def fits(definition: Definition, given: Any) -> bool:
    match definition.type:
        case "text":
            return isinstance(given, str)
        case "number":
            return isinstance(given, int | Decimal) and not isinstance(given, bool)
        case "boolean":
            return isinstance(given, bool)
        case "date":
            return isinstance(given, str) and read(date.fromisoformat, given) and len(given) == 10
        case "time":
            return isinstance(given, str) and read(zoned, given)
        case "choice":
            return isinstance(given, str) and given in definition.options
        case "choices":
            return isinstance(given, list) and all(one in definition.options for one in given)
    return False


def read(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def zoned(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(text)


def wants(definition: Definition) -> str:
    what = {
        "text": f"text of at most {LONGEST} characters",
        "number": "a number",
        "boolean": "true or false",
        "date": "a date such as 2026-01-31",
        "time": "a moment with its zone such as 2026-01-31T12:00:00Z",
        "choice": f"one of {', '.join(definition.options)}",
        "choices": f"a list of some of {', '.join(definition.options)}",
    }
    return f"{definition.label!r} takes {what[definition.type]}."


def refusal(name: str, code: Code, why: str) -> Rejected:
    return Rejected(f"fields.{name}", code, f"{why} Nothing was changed.")
