"""JSON without loss: numbers stay as they were written, and what Postgres or Kafka could not hold is refused."""

import re
from decimal import Decimal
from typing import TypeAlias

import msgspec

from crm.errors import Malformed

Value: TypeAlias = "str | int | Decimal | bool | list[Value] | dict[str, Value] | None"
Tree: TypeAlias = dict[str, Value]

DEEPEST = 32
MOST_FIELDS = 10_000
_HALF = re.compile(  # of a surrogate pair, without the other half
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="sorted")


def decode(text: bytes | str) -> Value:
    """Raises Malformed for what is no JSON, nested deeper than 32, or holds NUL or half a surrogate pair."""
    written = ""
    try:
        written = text.decode() if isinstance(text, bytes) else text
        value: Value = _DECODER.decode(written)
    except RecursionError:
        raise Malformed(f"The JSON is nested deeper than {DEEPEST}.") from None
    except ArithmeticError:
        raise Malformed("It holds a number past all measure.") from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        if half := _HALF.search(written):
            raise Malformed(f"It holds {half[0]}, half of a character: the text was cut in the middle of it.") from None
        raise Malformed(f"It is no JSON: {error}.") from None
    if "\\u0000" in written or written.count("[") + written.count("{") > DEEPEST:
        expect_sound(value)
    return value


def expect_sound(value: Value, depth: int = DEEPEST) -> None:
    """Raises Malformed for NUL characters (Postgres cannot keep them) and for nesting that is no honest payload's."""
    if isinstance(value, str):
        if "\0" in value:
            raise Malformed("It holds a NUL character, which no text may.")
    elif isinstance(value, list | dict):
        if not depth:
            raise Malformed(f"It is nested deeper than {DEEPEST}.")
        for inner in value.values() if isinstance(value, dict) else value:
            expect_sound(inner, depth - 1)
        for name in value if isinstance(value, dict) else ():
            expect_sound(name)


def decode_object(text: bytes | str) -> Tree:
    """Raises Malformed for anything but a sound JSON object."""
    value = decode(text)
    if not isinstance(value, dict):
        raise Malformed("A JSON object was expected.")
    return value


def encode(value: object) -> str:
    """JSON text: 54.10 stays 54.10."""
    return _ENCODER.encode(value).decode()


def canonical(value: object) -> bytes:
    """The same bytes whatever the order of the names."""
    return _CANONICAL.encode(value)
