"""Repairs JSON that templates and scripts wrote by hand, where it can mean one thing only.

Line breaks inside of texts, quotes that nobody escaped, a comma behind the last, single quotes, names without any.
"""

import re
from collections.abc import Iterator

# A quote ends a text where what follows can only come behind one.
_TEXT = r'"(?:[^"\\]|\\.|"(?!\s*(?:[,:}\]]|$)))*+(?:"|\Z)'
_SINGLE = r"'(?:[^'\\]|\\.|'(?!\s*(?:[,:}\]]|$)))*+(?:'|\Z)"
_WORD = r"[^\W\d][\w-]*"
_TOKENS = re.compile(f"(?P<text>{_TEXT})|(?P<single>{_SINGLE})|(?P<word>{_WORD})|(?P<other>.)", re.DOTALL)
_STRICT = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)
_TRAILING = re.compile(r",(?=\s*[}\]])")
_CONTROL = re.compile(r"[\x00-\x1f]")
_INNER_QUOTE = re.compile(r'(\\.)|"', re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_LONGEST = 1_000_000


def repairs_of(written: str) -> Iterator[str]:
    """Yields repaired versions, the smallest repair first."""
    if len(written) > _LONGEST:
        return
    before = written
    for single in (False, True):
        better = "".join(_part(token, single) for token in _TOKENS.finditer(written))
        better = _outside(better)
        if better != before:
            yield better
            before = better


def _part(token: re.Match[str], single: bool) -> str:
    if (token["text"] or "")[1:].endswith('"'):
        return _quoted(token["text"][1:-1])
    if single and (token["single"] or "")[1:].endswith("'"):
        return _quoted(token["single"][1:-1].replace("\\'", "'"))
    if token["word"] and single:
        named = token.string[token.end() : token.end() + 20].lstrip()[:1] == ":"
        return _quoted(token["word"]) if named else _WORDS.get(token["word"], token["word"])
    return token[0]


def _quoted(inside: str) -> str:
    inside = _INNER_QUOTE.sub(lambda found: found[1] or '\\"', inside)
    return f'"{_CONTROL.sub(_escaped, inside)}"'


def _escaped(sign: re.Match[str]) -> str:
    return "\\ufffd" if sign[0] == "\0" else f"\\u{ord(sign[0]):04x}"


def _outside(written: str) -> str:
    """Removes commas after the last item of a list."""
    at, parts = 0, []
    for text in _STRICT.finditer(written):
        parts += [_TRAILING.sub("", written[at : text.start()]), text[0]]
        at = text.end()
    return "".join([*parts, _TRAILING.sub("", written[at:])])
