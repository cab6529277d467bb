"""From the bytes of a POST to a tree of values, whatever its content type, charset or vendor's habit."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from charset_normalizer import from_bytes
from python_multipart.multipart import parse_options_header

from crm.connector import Delivery
from crm.errors import Malformed
from crm.shared import Attachment
from services.connectors.brackets import nest
from services.connectors.exact_json import MOST_FIELDS, Tree, decode_object
from services.connectors.multipart import parts_of

URLENCODED = "application/x-www-form-urlencoded"
_CHARSETS = {  # what headers say, and Python's name for it; anything else is not believed
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "windows-1251": "cp1251",
    "cp1251": "cp1251",
    "koi8-u": "koi8-u",
    "koi8-r": "koi8-r",
    "iso-8859-5": "iso-8859-5",
    "windows-1252": "cp1252",
    "iso-8859-1": "cp1252",  # as browsers read it
}
_RARE = ["cp1252", "koi8_u", "iso8859_5", "mac_cyrillic", "cp866", "utf_16"]
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
Pairs = list[tuple[bytes, bytes]]


class Body(NamedTuple):
    """What was sent: every field, and the files that came with them."""

    tree: Tree
    files: tuple[Attachment, ...] = ()


class Kind(NamedTuple):
    """A content type, taken apart."""

    media: str
    charset: str
    boundary: bytes


@lru_cache(maxsize=256)
def kind_of(content_type: str) -> Kind:
    media, options = parse_options_header(content_type.encode("utf-8", "replace"))
    charset = options.get(b"charset", b"").decode("ascii", "replace").strip().lower()
    return Kind(media.decode("ascii", "replace").lower(), _CHARSETS.get(charset, ""), options.get(b"boundary", b""))


def read_body(delivery: Delivery) -> Body:
    """Raises Malformed for what is no form, no JSON object, cut off, or holds a NUL character."""
    kind, body = kind_of(delivery.content_type), delivery.body
    if not body.strip():
        raise Malformed("The body is empty.")
    if kind.media == "multipart/form-data":
        return _multipart(body, kind)
    if "json" in kind.media:
        return Body(decode_object(_text(body, kind.charset)))
    if kind.media not in ("", URLENCODED, "text/plain"):
        raise Malformed(f"A form does not come as {kind.media!r}.")
    if body.lstrip()[:1] == b"{":  # JSON under the content type that a client sends when it was told none
        try:
            return Body(decode_object(_text(body, kind.charset)))
        except Malformed:
            if kind.media != URLENCODED:
                raise
    if body.lstrip()[:1] == b"<":
        raise Malformed("It is XML or HTML, which no form comes as.")
    return Body(_opened(nest(_decoded(_urlencoded(body), kind.charset))))


def _urlencoded(body: bytes) -> Pairs:
    parts = body.split(b"&", MOST_FIELDS)
    if len(parts) > MOST_FIELDS:
        raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    return [(_unescaped(name), _unescaped(value)) for name, _, value in (p.partition(b"=") for p in parts if p)]


def _unescaped(text: bytes) -> bytes:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    if b"%" in text:
        text = _ESCAPES.sub(lambda run: bytes.fromhex(run[0].replace(b"%", b"").decode()), text)
    return text


def _multipart(body: bytes, kind: Kind) -> Body:
    if not kind.boundary:
        raise Malformed("The multipart body comes without its boundary.")
    pairs: Pairs = []
    files: list[tuple[bytes, str, int, str]] = []
    for part in parts_of(body, kind.boundary):
        name, file_name = part.options.get(b"name", b""), part.options.get(b"filename")
        if file_name is None:
            pairs.append((name, bytes(part.content)))
        elif file_name or part.content:
            pairs.append((name, file_name))
            files.append((file_name, part.media_type, len(part.content), part.ref))
    names = _decoded([(file[0], b"") for file in files], kind.charset)
    attachments = tuple(Attachment("file", name, *file[1:]) for (name, _), file in zip(names, files, strict=True))
    return Body(_opened(nest(_decoded(pairs, kind.charset))), attachments)


def _decoded(pairs: Pairs, charset: str) -> list[tuple[str, str]]:
    """One charset for the whole form: the named one, else the first in which every byte has a meaning."""
    for encoding in _encodings(charset, (text for pair in pairs for text in pair)):
        try:
            decoded = [(name.decode(encoding), value.decode(encoding)) for name, value in pairs]
        except UnicodeDecodeError:
            continue
        if any("\0" in name or "\0" in value for name, value in decoded):
            raise Malformed("It holds a NUL character, which no text may.")
        return decoded
    raise Malformed("Its charset could not be recognised.")


def _text(body: bytes, charset: str) -> str:
    return _decoded([(body.removeprefix(b"\xef\xbb\xbf"), b"")], charset)[0][0]


def _encodings(charset: str, texts: Iterable[bytes]) -> Iterator[str]:
    if charset:
        yield charset
    yield "utf-8"
    yield "cp1251"  # what old sites in Ukraine send without saying so
    if best := from_bytes(b"\n".join(texts), cp_isolation=_RARE).best():
        yield best.encoding


def _opened(tree: Tree) -> Tree:
    """JSON objects that came inside a field (Tilda's payment, Jotform's rawRequest) become part of the tree."""
    for name, value in tree.items():
        if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}":
            try:
                tree[name] = decode_object(value)
            except Malformed:
                continue  # it only looks like JSON: it stays text
    return tree
