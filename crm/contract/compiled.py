"""Turns an Avro schema into two Python functions that write and read its Struct: twice as fast as walking the schema.

Each function is straight-line code made once at start, as dataclasses make theirs; fields are read from the Struct and
given to its constructor without a dict between. https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
A test holds every record type against fastavro, in both directions.
"""

from collections.abc import Callable, Iterator
from typing import Any

from crm.contract.registry import definitions, resolved
from crm.errors import Broken

SMALL = [bytes([n << 1]) for n in range(64)]  # the numbers 0 to 63, zigzag: most lengths
CONTINUED, EIGHT_BYTES = 0x8080808080808080, 0x0080808080808080  # the bits of bytes that another follows
Types = dict[str, type[Any]]


def number(n: int, bits: int = 64) -> bytes:
    """Zigzag varint. Raises OverflowError past the width that the schema gives it."""
    if not -(1 << bits - 1) <= n < 1 << bits - 1:
        raise OverflowError(f"{n} does not fit {bits} bits")
    n = (n << 1) ^ (n >> 63)
    if n >> 49 and not n >> 56:
        return spread(n)
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def spread(n: int) -> bytes:
    """Returns 50 to 56 bits as a varint of eight bytes, in three steps instead of eight: most times are such."""
    n = (n & 0xFFFFFFF0000000) << 4 | n & 0xFFFFFFF
    n = (n & 0xFFFC0000FFFC000) << 2 | n & 0x3FFF00003FFF
    n = (n & 0x3F803F803F803F80) << 1 | n & 0x7F007F007F007F
    return (n | EIGHT_BYTES).to_bytes(8, "little")


def gathered(n: int) -> int:
    """Returns the bits that `spread` spread."""
    n &= 0x7F7F7F7F7F7F7F7F
    n = (n & 0x7F007F007F007F00) >> 1 | n & 0x7F007F007F007F
    n = (n & 0x3FFF00003FFF0000) >> 2 | n & 0x3FFF00003FFF
    return (n & 0xFFFFFFF00000000) >> 4 | n & 0xFFFFFFF


def numeral(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag varint and where it ends. Raises ValueError past 64 bits, IndexError when the data ends."""
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


def long(data: bytes, at: int) -> tuple[int, int]:
    """The same for a number that most likely is a time."""
    eight = int.from_bytes(data[at : at + 8], "little")
    if eight & CONTINUED != EIGHT_BYTES:
        return numeral(data, at)
    n = gathered(eight)
    return (n >> 1) ^ -(n & 1), at + 8


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
    lines = ["def write(r, header):", "    out = [header]", "    add = out.append"]
    lines += [f"    {line}" for line in writes(schema, "r", definitions(schema), 1)]
    return made("write", [*lines, "    return b''.join(out)"], {"SMALL": SMALL, "number": number})


def writes(avro: Any, value: str, named: dict[str, Any], depth: int) -> Iterator[str]:
    """Lines that add `value` to the output; `depth` keeps the variables of nested parts apart."""
    item = f"v{depth}"
    match resolve(avro, named):
        case {"type": "record", "fields": fields}:
            for field in fields:
                yield f"{item} = {value}.{field['name']}"
                yield from writes(field["type"], item, named, depth + 1)
        case ["null", inner]:
            yield f"if {value} is None: add(b'\\0')"
            yield "else:"
            yield "    add(b'\\2')"
            yield from indented(writes(inner, value, named, depth))
        case {"type": "array", "items": items}:
            yield f"if {value}: add(number(len({value})))"
            yield f"for {item} in {value}:"
            yield from indented(writes(items, item, named, depth + 1))
            yield "add(b'\\0')"
        case {"type": "map", "values": values}:
            yield f"if {value}: add(number(len({value})))"
            yield f"for k{depth}, {item} in {value}.items():"
            yield from indented(writes("string", f"k{depth}", named, depth + 1))
            yield from indented(writes(values, item, named, depth + 1))
            yield "add(b'\\0')"
        case "string":
            yield f"e = {value}.encode()"
            yield "n = len(e)"
            yield "add(SMALL[n] if n < 64 else number(n))"
            yield "add(e)"
        case "bytes":
            yield f"add(number(len({value})))"
            yield f"add({value})"
        case "long":
            yield f"add(SMALL[{value}] if 0 <= {value} < 64 else number({value}))"
        case "int":
            yield f"add(SMALL[{value}] if 0 <= {value} < 64 else number({value}, 32))"
        case "boolean":
            yield f"add(b'\\1' if {value} else b'\\0')"
        case other:
            raise TypeError(f"no code writes {other!r}")


def reader(schema: dict[str, Any], types: Types) -> Callable[[bytes, int], tuple[Any, int]]:
    """read(data, at) -> the Struct and where it ends, past the data's end if that is cut short. Raises Broken."""
    for name, record in definitions(schema).items():
        declared = tuple(field["name"] for field in record["fields"])
        if types[name].__struct_fields__ != declared:
            raise Broken(f"The class {name} is not the one that was published. Nothing was read. Run make events.")
    lines = ["def read(data, i):", *indented(reads(schema, "v", definitions(schema), 1)), "    return v, i"]
    tools = {"numeral": numeral, "long": long, "length": length, "count": count, "BOOLEAN": (False, True)}
    return made("read", lines, {**tools, **{f"T_{name}": record for name, record in types.items()}})


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
            yield "n = data[i]"
            yield "if n > 127 or n & 1: n, i = length(data, i)"
            yield "else: n >>= 1; i += 1"
            yield f"{target} = data[i : i + n]" + (".decode()" if kind == "string" else "")
            yield "i += n"
        case "long" | "int" as kind:
            yield "n = data[i]"
            yield f"if n > 127: {target}, i = {'long' if kind == 'long' else 'numeral'}(data, i)"
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
