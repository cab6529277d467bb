"""Forms that come as written text: lines with their labels, a message alone, the elements of an XML document."""

import re
from html import unescape

from crm.errors import Malformed
from services.connectors.exact_json import MOST_FIELDS, Tree

_LINE = re.compile(r"\s*([^:\r\n]{1,80}?)\s*:\s(.*)")
_LEAF = re.compile(r"<([^\W\d][\w.-]{0,80})(?:\s[^<>]*)?>(?:<!\[CDATA\[(.*?)\]\]>|([^<>]*))</\1\s*>", re.DOTALL)


def said_in_lines(text: str) -> Tree:
    """`Label: value`, a line each; a text that is not such lines is one message."""
    lines = [line for line in text.splitlines() if line.strip()]
    fields = [found for line in lines if (found := _LINE.fullmatch(line + " "))]
    if len(fields) < 2 or len(fields) != len(lines):
        return {"text": text}
    tree: Tree = {}
    for field in fields:
        name = field[1]
        while name in tree:
            name += "'"
        tree[name] = field[2].strip()
    return tree


def xml_leaves(text: str) -> Tree:
    """The elements that hold text only, by their names. Raises Malformed for HTML and for what has none."""
    head = text.lstrip()[:200].lower()
    tree: Tree = {}
    for name, cdata, plain in _LEAF.findall(text) if not head.startswith(("<!doctype html", "<html")) else ():
        while name in tree:
            name += "'"
        tree[name] = cdata or unescape(plain).strip()
        if len(tree) > MOST_FIELDS:
            raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    if not tree:
        raise Malformed("It is XML or HTML, which no form comes as.")
    return tree
