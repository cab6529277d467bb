"""Forms that come as text: lines with labels, a message alone, an XML document."""

import re
from xml.etree.ElementTree import Element, ParseError, fromstring

from crm.errors import Malformed
from services.connectors.formats.charset import charset_named, decode_each
from services.connectors.formats.exact_json import DEEPEST, Tree, Value

_LINE = re.compile(r"\s*([^:\r\n=]{1,80}?)\s*:(?!//)\s*(.*)")
_DECLARED = re.compile(rb"<\?xml[^>]{0,80}encoding=[\"']([\w-]{1,20})")
_REFUSED = "It is XML or HTML, which no form comes as."


def labelled_lines(text: str) -> Tree:
    """Returns `Label: value` lines as fields, other lines as the message. Empty if fewer than two have a label."""
    tree: Tree = {}
    rest = []
    for line in filter(str.strip, text.splitlines()):
        if not (found := _LINE.fullmatch(line)):
            rest.append(line.strip())
            continue
        name = found[1]
        while name in tree:
            name += "'"
        tree[name] = found[2].strip()
    if len(tree) < 2:
        return {}
    return {**tree, "text": "\n".join(rest)} if rest and "text" not in tree else tree


def lines_or_message(text: str) -> Tree:
    """Returns labelled lines, or else one message."""
    return labelled_lines(text) or {"text": text}


def xml_fields(body: bytes, charset: str) -> Tree:
    """Returns the elements by name. Raises Malformed for HTML, for declared types or entities, and for no field."""
    declared = _DECLARED.match(body.lstrip())
    text = decode_each([body], charset or (charset_named(declared[1].decode()) if declared else ""))[0]
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise Malformed(_REFUSED)
    try:
        root = fromstring(text.strip())  # nothing is declared that could be expanded
    except ParseError:
        raise Malformed(_REFUSED) from None
    tree = _value(root, DEEPEST - 1)
    if not isinstance(tree, dict) or root.tag.lower() == "html":
        raise Malformed(_REFUSED)
    return tree


def _value(element: Element, depth: int) -> Value:
    """Returns a text, or the elements by name; several of one name are a list."""
    if not depth:
        raise Malformed(f"It is nested deeper than {DEEPEST}.")
    if not len(element):
        text = (element.text or "").strip()
        return {"name": element.attrib["name"], "value": text} if "name" in element.attrib else text
    found: dict[str, list[Value]] = {}
    for child in element:
        found.setdefault(child.tag.rpartition("}")[2], []).append(_value(child, depth - 1))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
