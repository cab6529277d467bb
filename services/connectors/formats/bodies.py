"""Reads the body of a POST into a tree of values, whatever its content type and charset."""

import re
from functools import lru_cache
from typing import NamedTuple

from python_multipart.multipart import parse_options_header

from crm.connector import Delivery
from crm.errors import Malformed
from crm.shared import Attachment
from services.connectors.formats.charset import charset_named, decode_each, from_wide_charset
from services.connectors.formats.exact_json import Tree, Value, decode, decode_object
from services.connectors.formats.multipart import boundary_in, parts_of, plain_fields
from services.connectors.formats.nested_names import nest
from services.connectors.formats.repairs import repaired, repaired_object
from services.connectors.formats.text_forms import labelled_lines, lines_or_message, xml_fields
from services.connectors.formats.truncated_json import complete_part
from services.connectors.formats.urlencoded import Pairs, pairs_in, texts_in, unescaped

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_PLAIN_PARTS = re.compile(r"multipart/form-data; ?boundary=([-\w]{1,70})", re.ASCII)
_BEGINS_FORM = re.compile(rb"\s*[^\s=&<>{}\[\]\"]{1,80}(?:\[[^\]=&]{0,80}\])*=")
_BEGINS_PARTS = re.compile(rb"\s*--[^\r\n]{1,70}\r?\n[Cc]ontent-[Dd]isposition:\s*form-data", re.IGNORECASE)
_LINES = re.compile(rb"(?:[^\r\n=&]{1,80}=[^\r\n]*(?:\r?\n|$)){2,}")
_FIELD = b"_charset_"
_BEGINS_LIST = re.compile(rb"\s*\[\s*\{")
_ESCAPED_FORM = re.compile(rb"^\w+%3D", re.IGNORECASE)
_LONGEST_CUT = 1_000_000


class Body(NamedTuple):
    """A body: its fields, its files, and a sentence on what is damaged in it."""

    tree: Tree
    files: tuple[Attachment, ...] = ()
    damage: str = ""


class Kind(NamedTuple):
    """A content type, taken apart."""

    media: str
    charset: str
    boundary: bytes


@lru_cache(maxsize=256)
def kind_of(content_type: str) -> Kind:
    if plain := _PLAIN_PARTS.fullmatch(content_type):
        return Kind(MULTIPART, "", plain[1].encode())
    media, options = parse_options_header(content_type.encode("utf-8", "replace"))
    charset = charset_named(options.get(b"charset", b"").decode("ascii", "replace"))
    return Kind(media.decode("ascii", "replace").lower(), charset, options.get(b"boundary", b""))


def read_body(delivery: Delivery, as_sent: bool = False) -> Body:
    """Raises Malformed for anything but a form or JSON object. `as_sent`: without repairs, for signatures.

    A body that was cut off gives what came whole of it, and says so.
    """
    kind, body = kind_of(delivery.content_type), delivery.body
    if not body.strip():
        raise Malformed("The body is empty.")
    read = _read(kind, body)
    tree = read.tree if as_sent else repaired_object(read.tree)
    return read if tree is read.tree else Body(tree, read.files, read.damage)


def _read(kind: Kind, body: bytes) -> Body:
    if kind.media == MULTIPART or (body[:3].lstrip()[:1] == b"-" and _BEGINS_PARTS.match(body)):
        return _multipart(body, kind)
    body = from_wide_charset(body)
    begin = body.lstrip()[:1]
    if "json" in kind.media:
        if begin not in (b"{", b"[", b'"') and _BEGINS_FORM.match(body):
            return Body(_form(body, kind))  # a program whose header promises JSON
        return _json(body, kind.charset)
    if kind.media not in ("", URLENCODED, "text/plain") and not (
        begin == b"{" or kind.media.endswith(("xml", "csv")) or _is_text_form(kind, body)
    ):
        raise Malformed(f"A form does not come as {kind.media!r}.")
    # What a client sends when nobody set its type.
    if begin == b"{" or (begin == b"[" and (kind.media != URLENCODED or _BEGINS_LIST.match(body))):
        try:
            return _json(body, kind.charset)
        except Malformed:
            if kind.media != URLENCODED:
                raise
    if begin == b"<":
        return Body(xml_fields(body, kind.charset))
    if kind.media == "text/plain" and _LINES.fullmatch(body):  # a form of enctype text/plain: a line a field
        lines = [line.partition(b"=")[::2] for line in body.splitlines() if line]
        return Body(with_inner_json(nest(_decoded(lines, kind.charset))))
    labelled = kind.media in ("", "text/plain") and b":" in body and not _BEGINS_FORM.match(body)
    if labelled and (fields := labelled_lines(decode_each([body], kind.charset)[0])):
        return Body(fields)
    if b"=" not in body:
        if _ESCAPED_FORM.search(body):  # escaped once more as a whole
            return Body(_form(unescaped(body), kind))
        return Body(lines_or_message(decode_each([unescaped(body) if b"%" in body else body], kind.charset)[0]))
    return Body(_form(body, kind))


def _is_text_form(kind: Kind, body: bytes) -> bool:
    return kind.media in ("text/html", "application/octet-stream", "*/*") and _BEGINS_FORM.match(body) is not None


def _json(body: bytes, charset: str) -> Body:
    try:
        return Body(_object(decode(body, charset), charset))
    except Malformed as error:
        if "trailing" in str(error) and (lines := json_lines(body, charset)):
            return Body({"fields": lines})
        if "truncated" not in str(error) or len(body) > _LONGEST_CUT:
            raise
        try:
            tree = complete_part(decode_each([body], charset)[0])
        except Malformed:
            raise error from None
        return Body(tree, damage="The JSON was cut off on its way; what came whole of it was read.")


def json_lines(body: bytes, charset: str) -> list[Value]:
    """Returns one object per line; none if a line is anything else."""
    try:
        return [decode_object(line, charset) for line in body.splitlines() if line.strip()]
    except Malformed:
        return []


def _object(value: Value, charset: str) -> Tree:
    """Returns an object, also alone in a list or encoded as JSON twice. Several in a list become its fields."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return {"fields": value}
    elif isinstance(value, str) and value.lstrip()[:1] == "{":
        return decode_object(value)
    if not isinstance(value, dict):
        raise Malformed("A JSON object was expected.")
    return value


def _form(body: bytes, kind: Kind) -> Tree:
    texts = texts_in(body, kind.charset)
    return with_inner_json(nest(_decoded(pairs_in(body), kind.charset) if texts is None else texts))


def _multipart(body: bytes, kind: Kind) -> Body:
    if not (boundary := boundary_in(body, kind.boundary)):
        raise Malformed("The multipart body comes without its boundary.")
    if plain := plain_fields(body, boundary):
        return Body(with_inner_json(nest(_decoded(plain, kind.charset))))
    pairs: Pairs = []
    files: list[tuple[bytes, str, int, str]] = []
    parts, cut = parts_of(body, boundary)
    for part in parts:
        name, file_name = part.options.get(b"name", b""), part.options.get(b"filename")
        if file_name is None:
            pairs.append((name, bytes(part.content)))
        elif file_name or part.content:
            pairs.append((name, file_name))
            files.append((file_name, part.media_type, len(part.content), part.ref))
    charset = kind.charset or next(filter(None, (kind_of(part.media_type).charset for part in parts)), "")
    names = _decoded([(file[0], b"") for file in files], charset)
    attachments = tuple(
        Attachment("file", repaired(name), *file[1:]) for (name, _), file in zip(names, files, strict=True)
    )
    damage = "The form was cut off on its way; what came whole of it was read." if cut else ""
    return Body(with_inner_json(nest(_decoded(pairs, charset))), attachments, damage)


def _decoded(pairs: Pairs, charset: str) -> list[tuple[str, str]]:
    if not charset:  # browsers fill such a field in with what they used
        charset = next((charset_named(value.decode("ascii", "replace")) for name, value in pairs if name == _FIELD), "")
    decoded = decode_each([text for pair in pairs for text in pair], charset)
    return list(zip(decoded[::2], decoded[1::2], strict=True))


def with_inner_json(tree: Tree) -> Tree:
    """Decodes JSON within fields (a cart's payment, a whole form) into the tree."""
    for name, value in tree.items():
        if isinstance(value, str) and value[-1:] in ("}", "]") and value.startswith(("{", "[{")):
            try:
                inner = decode(value)
                tree[name] = with_inner_json(inner) if isinstance(inner, dict) else inner
            except Malformed:
                continue  # it only looks like JSON: it stays text
    return tree
