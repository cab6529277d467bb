"""Reads the complete part of a JSON object that was cut off on its way."""

import re

from crm.errors import Malformed
from services.connectors.formats.exact_json import Tree, decode_object

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]+|"', re.DOTALL)
_OPEN_TEXT = re.compile(r'[{,]\s*("(?:[^"\\]|\\.)*"\s*:\s*"(?:[^"\\]|\\.)*)\\?$', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")
_CLOSE = {"{": "}", "[": "]"}


def complete_part(written: str) -> Tree:
    """Returns every complete member; a text that was cut ends in U+FFFD. Raises Malformed when none is complete."""
    stack: list[str] = []
    whole, open_ones, before = 0, "", ""
    for token in _TOKEN.finditer(written):
        sign = token[0]
        if sign == '"':
            break
        if sign in "{[":
            stack.append(sign)
        elif sign in "}]" and stack:
            stack.pop()
        ended = (sign in "}]" and stack) or (sign[0] == '"' and before in (":", "[") and stack)
        if ended or (sign == "," and before != ","):
            whole, open_ones = token.start() if sign == "," else token.end(), "".join(stack)
        before = sign
    if not whole:
        raise Malformed("The JSON is cut off before its first field is whole.")
    cut = _OPEN_TEXT.match(written, _from(written, whole))
    rest = f',{_HALF_ESCAPE.sub("", cut[1])}\ufffd"' if cut and open_ones.endswith("{") else ""
    return decode_object(written[:whole] + rest + "".join(_CLOSE[sign] for sign in reversed(open_ones)))


def _from(written: str, whole: int) -> int:
    """Returns the position of the comma after the last complete member."""
    while whole < len(written) and written[whole].isspace():
        whole += 1
    return whole
