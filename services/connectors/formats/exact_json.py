"""JSON without loss: numbers stay as they were written, and what Postgres or Kafka could not hold becomes U+FFFD."""

import base64
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeAlias

import msgspec

from crm.errors import Malformed
from services.connectors.formats.charset import decode_each, from_wide_charset, is_guessed
from services.connectors.formats.lenient_json import repairs_of

Value: TypeAlias = "str | int | Decimal | bool | list[Value] | dict[str, Value] | None"
Tree: TypeAlias = dict[str, Value]

NESTED = (dict, list)
_TYPES = frozenset(NESTED)
DEEPEST = 32
MOST_FIELDS = 10_000
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_HALF = re.compile(r"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")
_BYTES = re.compile("[\uf780-\uf7ff]")  # where the high bytes of a text wait for their charset
_AS_WAITING = {byte: 0xF700 + byte for byte in range(0x80, 0x100)}
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="sorted")


def decode(text: bytes | str, charset: str = "") -> Value:
    """Raises Malformed for invalid JSON and for nesting deeper than 32.

    What no text may hold (NUL, half a surrogate pair, bytes that are no letters) becomes U+FFFD. `charset` is what the
    header of these bytes says.
    """
    if isinstance(text, bytes):
        text = from_wide_charset(text)
        if charset not in ("", "utf-8") and not is_guessed(charset):
            return _decoded(decode_each([text], charset)[0])
        try:
            decoded = text.decode()
        except UnicodeDecodeError:
            return _in_charset(_decoded(text.decode("latin-1").translate(_AS_WAITING)), charset)
        return _decoded(decoded)
    return _decoded(text)


def _decoded(written: str) -> Value:
    if "\\ud" in written or "\\uD" in written or "\\u0000" in written:
        written = _ESCAPE.sub(_whole, written)
    try:
        value = _strictly(written)
    except (msgspec.MsgspecError, UnicodeError) as error:
        value = _repaired(written, error)
    if written.count("[") + written.count("{") > DEEPEST:
        expect_shallow(value)
    return value


def _strictly(written: str) -> Value:
    try:
        value: Value = _DECODER.decode(written)
    except RecursionError:
        raise Malformed(f"The JSON is nested deeper than {DEEPEST}.") from None
    except ArithmeticError:
        raise Malformed("It holds a number past all measure.") from None
    return value


def _repaired(written: str, error: Exception) -> Value:
    sound = written.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for repair in (sound, *repairs_of(sound)):
        try:
            return _strictly(repair)
        except (msgspec.MsgspecError, UnicodeError):
            continue
    raise Malformed(f"It is not JSON: {error}.") from None


def _whole(escape: re.Match[str]) -> str:
    return "\\ufffd" if len(escape[0]) == 6 and _HALF.fullmatch(escape[0]) else escape[0]


def _in_charset(value: Value, charset: str) -> Value:
    """The same tree, its waiting bytes read in the charset that fits all of them."""
    texts = dict.fromkeys(texts_of(value, []))
    read = dict(zip(texts, decode_each([_raw(text) for text in texts], charset), strict=True))
    return _replaced(value, read)


def texts_of(value: Value, found: list[str]) -> list[str]:
    """Appends every name and text of a tree to `found`."""
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        found += value
        value = list(value.values())
    if isinstance(value, list):
        if is_flat(value):
            found += [item for item in value if type(item) is str]
            return found
        for item in value:
            if type(item) is str:
                found.append(item)
            elif isinstance(item, NESTED):
                texts_of(item, found)
    return found


def is_flat(values: Iterable[Value]) -> bool:
    """Whether no value is an object or a list."""
    return _TYPES.isdisjoint(map(type, values))


def _raw(text: str) -> bytes:
    return b"".join(bytes([ord(sign) - 0xF700]) if _BYTES.match(sign) else sign.encode() for sign in text)


def _replaced(value: Value, read: dict[str, str]) -> Value:
    if isinstance(value, str):
        return read[value]
    if isinstance(value, dict):
        return {read[name]: _replaced(item, read) for name, item in value.items()}
    return [_replaced(item, read) for item in value] if isinstance(value, list) else value


def expect_shallow(value: Value, depth: int = DEEPEST) -> None:
    """Raises Malformed for nesting that is deeper than any real payload."""
    level = [value] if isinstance(value, NESTED) else []
    for _ in range(depth):
        inner = (one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer))
        level = [one for one in inner if isinstance(one, NESTED)]
        if not level:
            return
    raise Malformed(f"It is nested deeper than {DEEPEST}.")


def decode_object(text: bytes | str, charset: str = "") -> Tree:
    """Raises Malformed for anything but a JSON object."""
    value = decode(text, charset)
    if not isinstance(value, dict):
        raise Malformed("A JSON object was expected.")
    return value


def base64_object(text: str) -> Tree:
    """Returns a JSON object that came in base64. Raises Malformed."""
    try:
        body = base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed("Its data is no base64.") from None
    return decode_object(body)


def object_or_empty(read: Callable[[], Tree]) -> Tree:
    """Returns what `read` does; an object without fields where it raises Malformed: nothing in it says anything."""
    try:
        return read()
    except Malformed:
        return {}


def encode(value: object) -> str:
    """Returns JSON text in which 54.10 stays 54.10."""
    return _ENCODER.encode(value).decode()


def canonical(value: object) -> bytes:
    """Returns JSON bytes that are the same for any order of the names."""
    return _CANONICAL.encode(value)
