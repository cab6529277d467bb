"""Mails of vendors that send JSON: headers and files as objects."""

import base64
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from crm.shared import Attachment
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.values import text
from services.connectors.mails.mail import Address, first_headers


def headers_by_name(value: Value) -> dict[str, str]:
    """Returns headers of an object, in which one that came several times is a list."""
    pairs = value.items() if isinstance(value, dict) else ()
    found = {name.lower(): one[0] if isinstance(one, list) and one else one for name, one in pairs}
    return {name: text({"": one}, "") for name, one in found.items() if one is not None}


def headers_of(values: Iterable[Tree], name: str, value: str) -> dict[str, str]:
    """Returns headers of a list of objects with a name and a value each."""
    return first_headers([(text(one, name), text(one, value)) for one in values])


def headers_of_pairs(value: object) -> dict[str, str]:
    """Returns headers of a list of pairs, each a list of name and value."""
    pairs = [one for one in value if isinstance(one, list) and len(one) == 2] if isinstance(value, list) else []
    return first_headers([(str(name), str(content)) for name, content in pairs])


def mailbox(value: Value, name: str, address: str) -> Address:
    """Reads an object with a name and an address."""
    return Address(" ".join(text(value, name).split()), text(value, address))


def mailboxes(values: Iterable[Tree], name: str, address: str) -> tuple[Address, ...]:
    return tuple(one for value in values if (one := mailbox(value, name, address)).written)


class Listed(NamedTuple):
    """A file, and its Content-ID."""

    file: Attachment
    content_id: str


def listed_file(name: str, media_type: str, content_id: str, *, data: str = "", ref: str = "", size: int = 0) -> Listed:
    """`data`: its content in base64, which stays in the raw bytes; else `ref`, how to get it from the vendor."""
    if data:
        try:
            content = base64.b64decode(data)
            ref, size = f"sha256:{sha256(content).hexdigest()}", len(content)
        except ValueError:
            ref = ""
    return Listed(Attachment("file", name, media_type.partition(";")[0].strip(), size, ref), content_id.strip("<> "))


def files_of(listed: Iterable[Listed]) -> dict[str, object]:
    """Returns the fields of Mail that files are."""
    every = list(listed)
    return {
        "files": tuple(one.file for one in every),
        "inline": {one.content_id: one.file.ref for one in every if one.content_id},
    }
