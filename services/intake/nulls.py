"""A line without its nulls: null means not given, in JSON and in Avro facts alike."""

import msgspec
from msgspec import Raw

NULL = b"null"
OWN = ("fields",)  # any JSON, kept as it is; only a field that is null itself is left out
OBJECT = msgspec.json.Decoder(dict[str, Raw])
LIST = msgspec.json.Decoder(list[Raw])


def without_nulls(line: bytes) -> bytes:
    """The same bytes where there is no null, or where it cannot be read: the reader behind says why."""
    if NULL not in line:
        return line
    try:
        return bare(line, deep=True)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return line


def bare(text: bytes, deep: bool) -> bytes:
    """Of an object or a list; `deep`: also of what lies in it."""
    if NULL not in text or text[:1] not in (b"{", b"["):
        return text
    if text[:1] == b"[":
        items = [bytes(item) for item in LIST.decode(text)]
        return b"[" + b",".join(bare(item, deep) for item in items if item != NULL) + b"]"
    parts = []
    for name, value in OBJECT.decode(text).items():
        if (kept := bytes(value)) != NULL:
            inside = bare(kept, deep=False) if name in OWN else bare(kept, deep) if deep else kept
            parts.append(msgspec.json.encode(name) + b":" + inside)
    return b"{" + b",".join(parts) + b"}"
