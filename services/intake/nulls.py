"""Removes nulls from a line: in JSON and Avro facts alike, null means not given, but for values of `fields`."""

import msgspec
from msgspec import Raw

NULL = b"null"
OWN = ("fields",)  # arbitrary JSON, kept as it is
OBJECT = msgspec.json.Decoder(dict[str, Raw])
LIST = msgspec.json.Decoder(list[Raw])


def without_nulls(line: bytes) -> bytes:
    """Returns the line without nulls. Lines without nulls, and invalid JSON, are returned unchanged."""
    if NULL not in line:
        return line
    try:
        return strip(line, deep=True)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return line


def strip(text: bytes, deep: bool) -> bytes:
    """Removes the nulls of an object or a list; `deep`: also of what is nested in it."""
    if NULL not in text or text[:1] not in (b"{", b"["):
        return text
    if text[:1] == b"[":
        items = [bytes(item) for item in LIST.decode(text)]
        return b"[" + b",".join(strip(item, deep) for item in items if item != NULL) + b"]"
    parts = []
    for name, value in OBJECT.decode(text).items():
        if (kept := bytes(value)) != NULL:
            inside = kept if name in OWN else strip(kept, deep) if deep else kept
            parts.append(msgspec.json.encode(name) + b":" + inside)
    return b"{" + b",".join(parts) + b"}"
