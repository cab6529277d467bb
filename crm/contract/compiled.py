"""Turns an Avro schema into two Python functions that write and read its Struct: twice as fast as walking the schema.

Each function is straight-line code made once, as dataclasses make theirs; fields are read from the Struct and
given to its constructor without a dict between. https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
A test holds every record type against fastavro, in both directions.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from crm.contract.registry import definitions, resolved
from crm.errors import Broken

Types = dict[str, type[Any]]
SHORT = [1 + (n >> 1) if n < 128 and not n & 1 else 0 for n in range(256)]  # bytes of a text with its length; 0: look
MOMENT = 8  # bytes of a time of these years, in microseconds
REMEMBERED = 4096
VALUE = "= "  # begins an expression among lines


class Numbers(dict[int, bytes]):
    """Zigzag varints of the numbers that were written last: a batch has few times, partitions and lengths."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def __missing__(self, n: int) -> bytes:
        """Raises OverflowError past the width that the schema gives it."""
        if len(self) >= REMEMBERED:
            self.clear()
        written = self[n] = number(n, self.bits)
        return written


LONG, INT = Numbers(64), Numbers(32)
moments: dict[bytes, int] = {}  # of those that were read last


def number(n: int, bits: int = 64) -> bytes:
    """Zigzag varint. Raises OverflowError past the width that the schema gives it."""
    if not -(1 << bits - 1) <= n < 1 << bits - 1:
        raise OverflowError(f"{n} does not fit {bits} bits")
    n = (n << 1) ^ (n >> 63)
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def numeral(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint and where it ends. Raises ValueError past 64 bits, IndexError when the data ends."""
    first = data[at]
    if first < 0x80:
        return first >> 1 ^ -(first & 1), at + 1
    second = data[at + 1]
    if second < 0x80:
        n = first & 0x7F | second << 7
        return n >> 1 ^ -(n & 1), at + 2
    written = data[at : at + MOMENT]
    if (known := moments.get(written)) is not None:
        return known, at + MOMENT
    n, end = long_numeral(data, at)
    if end == at + MOMENT:
        if len(moments) >= REMEMBERED:
            moments.clear()
        moments[written] = n
    return n, end


def long_numeral(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    n = byte & 0x7F
    for shift in range(7, 70, 7):
        at += 1
        if byte < 0x80:
            break
        byte = data[at]
        n |= (byte & 0x7F) << shift
    else:
        at += 1
    if byte > 0x7F or n >> 64:
        raise ValueError("a number is longer than 64 bits")
    return (n >> 1) ^ -(n & 1), at


def length(data: bytes, at: int) -> tuple[int, int]:
    n, at = numeral(data, at)
    if n < 0:
        raise ValueError("a length is negative")
    return n, at


def count(data: bytes, at: int) -> tuple[int, int]:
    """How many items the next block has; a writer may give the block's size in bytes after a negative count."""
    n, at = numeral(data, at)
    return (n, at) if n >= 0 else (-n, numeral(data, at)[1])


def writer(schema: dict[str, Any]) -> Callable[[Any, bytes], bytes]:
    """write(record, header) -> header + body. Raises what Python raises for a value of another type."""
    lines = ["def write(r, header):", "    out = [header]"]
    lines += [f"    {line}" for line in gathered(writes(schema, "r", definitions(schema), 1))]
    return made("write", [*lines, "    return b''.join(out)"], {"LONG": LONG, "INT": INT})


def gathered(lines: Iterable[str]) -> Iterator[str]:
    """What `writes` yields, with values that follow each other in one tuple: an append each takes twice as long."""
    values: list[str] = []
    for line in lines:
        if line.startswith(VALUE):
            values.append(line.removeprefix(VALUE))
            continue
        if values:
            yield f"out += ({', '.join(values)},)"
            values = []
        yield line
    if values:
        yield f"out += ({', '.join(values)},)"


def writes(avro: Any, value: str, named: dict[str, Any], depth: int) -> Iterator[str]:
    """Lines that add `value` to the output, and after VALUE expressions that give parts of it; `depth` keeps the
    variables of nested parts apart."""
    item = f"v{depth}"
    match resolve(avro, named):
        case {"type": "record", "fields": fields}:
            yield f"{item} = {value}"
            for field in fields:
                yield from writes(field["type"], f"{item}.{field['name']}", named, depth + 1)
        case ["null", inner]:
            yield f"{item} = {value}"
            yield f"if {item} is None: out.append(b'\\0')"
            yield "else:"
            yield "    out.append(b'\\2')"
            yield from indented(gathered(writes(inner, item, named, depth + 1)))
        case {"type": "array", "items": items}:
            yield f"if {value}: out.append(LONG[len({value})])"
            yield f"for {item} in {value}:"
            yield from indented(gathered(writes(items, item, named, depth + 1)))
            yield f"{VALUE}b'\\0'"
        case {"type": "map", "values": values}:
            yield f"if {value}: out.append(LONG[len({value})])"
            yield f"for k{depth}, {item} in {value}.items():"
            both = [*writes("string", f"k{depth}", named, depth + 1), *writes(values, item, named, depth + 1)]
            yield from indented(gathered(both))
            yield f"{VALUE}b'\\0'"
        case "string":
            yield f"{VALUE}LONG[len(e := {value}.encode())], e"
        case "bytes":
            yield f"{VALUE}LONG[len({value})], {value}"
        case "long":
            yield f"{VALUE}LONG[{value}]"
        case "int":
            yield f"{VALUE}INT[{value}]"
        case "boolean":
            yield f"{VALUE}b'\\1' if {value} else b'\\0'"
        case other:
            raise TypeError(f"no code writes {other!r}")


def reader(schema: dict[str, Any], types: Types) -> Callable[[bytes, int], tuple[Any, int]]:
    """read(data, at) -> the Struct and where it ends, past the data's end if that is cut short. Raises Broken."""
    check(schema, types)
    lines = ["def read(data, i):", *indented(reads(schema, "v", definitions(schema), 1)), "    return v, i"]
    tools = {"numeral": numeral, "length": length, "count": count, "SHORT": SHORT, "BOOLEAN": (False, True)}
    return made("read", lines, {**tools, **{f"T_{name}": record for name, record in types.items()}})


def check(schema: dict[str, Any], types: Types) -> None:
    """Raises Broken unless each class has the fields of its record, in their order."""
    for name, record in definitions(schema).items():
        declared = tuple(field["name"] for field in record["fields"])
        if types[name].__struct_fields__ != declared:
            raise Broken(f"The class {name} is not the one that was published. Nothing was read. Run make events.")


def reads(avro: Any, target: str, named: dict[str, Any], depth: int) -> Iterator[str]:
    """Lines that read a value from data[i:] into `target` and move i behind it."""
    match resolve(avro, named):
        case {"type": "record", "name": kind, "fields": fields}:
            names = [field["name"] for field in fields]
            for field in fields:
                yield from reads(field["type"], f"{target}_{field['name']}", named, depth + 1)
            yield f"{target} = T_{kind}({', '.join(f'{target}_{name}' for name in names)})"
        case ["null", inner]:
            yield "n = data[i]"
            yield "i += 1"
            yield f"if n == 0: {target} = None"
            yield "elif n == 2:"
            yield from indented(reads(inner, target, named, depth))
            yield "else: raise ValueError('a union has no such branch')"
        case {"type": "array", "items": items}:
            yield from block(f"list{depth} = []")
            yield from indented(indented(reads(items, f"item{depth}", named, depth + 1)))
            yield f"        list{depth}.append(item{depth})"
            yield "i += 1"
            yield f"{target} = tuple(list{depth})"
        case {"type": "map", "values": values}:
            yield from block(f"map{depth} = {{}}")
            yield from indented(indented(reads("string", f"key{depth}", named, depth + 1)))
            yield from indented(indented(reads(values, f"item{depth}", named, depth + 1)))
            yield f"        map{depth}[key{depth}] = item{depth}"
            yield "i += 1"
            yield f"{target} = map{depth}"
        case "string" | "bytes" as kind:
            end = ".decode()" if kind == "string" else ""
            yield "n = SHORT[data[i]]"
            yield f"if n: {target} = data[i + 1 : (i := i + n)]{end}"
            yield "else:"
            yield "    n, i = length(data, i)"
            yield f"    {target} = data[i : (i := i + n)]{end}"
        case "long" | "int":
            yield "n = data[i]"
            yield f"if n > 127: {target}, i = numeral(data, i)"
            yield f"else: {target} = n >> 1 ^ -(n & 1); i += 1"
        case "boolean":
            yield f"{target} = BOOLEAN[data[i]]"
            yield "i += 1"
        case other:
            raise TypeError(f"no code reads {other!r}")


def block(start: str) -> Iterator[str]:
    """Items come in blocks, each after its count; a zero ends them."""
    yield start
    yield "while data[i]:"
    yield "    n, i = count(data, i)"
    yield "    for _ in range(n):"


def resolve(avro: Any, named: dict[str, Any]) -> Any:
    """The definition behind a name; a primitive type without what is said about it (ids stay text, times integers)."""
    if isinstance(avro, str):
        return resolved(avro, named)
    return avro["type"] if isinstance(avro, dict) and avro["type"] not in ("record", "array", "map") else avro


def indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def made(name: str, lines: list[str], scope: dict[str, Any]) -> Callable[..., Any]:
    exec("\n".join(lines), scope)
    function: Callable[..., Any] = scope[name]
    return function
