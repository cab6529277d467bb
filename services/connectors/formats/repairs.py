"""Repairs text that was escaped or encoded twice, where that is certain.

Nothing here raises, and a text that could also have been meant as it stands stays as it is.
"""

import codecs
import html
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from services.connectors.formats.exact_json import NESTED, Tree, Value, encode
from services.connectors.formats.letter_pairs import likelihood

_CACHED = 200  # characters: longer names are read each time, so that they cannot fill the memory
_ROUNDS = 3  # what was escaped twice is seen; who escaped it four times did not mean a form
_NUMBERED = re.compile(r"&(?:amp;)*#(?:[0-9]{2,7}|[xX][0-9a-fA-F]{2,6});")
_NAMED = re.compile(
    r"&(?:amp;)*(?:amp|quot|apos|nbsp|lt|gt|laquo|raquo|ndash|mdash|hellip|rsquo|lsquo|ldquo|rdquo|euro);"
)
_REFERENCE = re.compile(r"&(?:#[0-9xX]|[a-z]{2,6};)")  # in all that the two above match
_UNESCAPED = re.compile(r"&(?!(?:[a-zA-Z]{2,8}|#[0-9]{2,7}|#[xX][0-9a-fA-F]{2,6});)|[<>]")
_ESCAPED = re.compile(r"\\[nrt\"]")  # of JSON, for what is in the text; a backslash of the text stays one
_JSON_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){2,}")
# PHP's addslashes: a backslash before quotes and backslashes, and nowhere else. JSON is text of its own kind.
_SLASHED = re.compile(r"""(?![\[{])(?:[^\\'"]|\\[\\'"])*\\['"](?:[^\\'"]|\\[\\'"])*""", re.DOTALL)
_SLASH = re.compile(r"""\\([\\'"])""")
_MAIL_WORDS = re.compile(r"(?:\s*=\?[\w-]{2,20}\?[bBqQ]\?[^?\s]*\?=)+\s*")
_PERCENT = re.compile(
    r"(?:[A-Za-z0-9_.~+*'()!-]|%[0-9A-Fa-f]{2})*%[89A-Fa-f][0-9A-Fa-f](?:[A-Za-z0-9_.~+*'()!-]|%[0-9A-Fa-f]{2})+"
)
_HIGH = re.compile(r"%[89A-Fa-f][0-9A-Fa-f]")  # in all that this matches
# What the first bytes of UTF-8 become under another charset, before what the second ones become and nobody types.
_BEGIN_AS_LATIN = frozenset("ÐÑÒÃÂÄÅâ")
_AS_LATIN = re.compile("[ÐÑÒÃÂÄÅâ][^\x00-\x7f]")
_AS_OTHERS = re.compile("[РСТГВпяр–—╨╤╥][^\x00-\x7fА-яІіЇїЄєҐґ’«»“”„…–—\xa0]")
_READERS = ("cp1252", "cp1251", "cp866", "mac_roman", "koi8-r")
_LATIN_FOR_CYRILLIC = re.compile("[À-ÿ³¿¯²ª´¥º¸]{3,}")
_UNCOMMON = re.compile("[^\x00-\x7fА-яІіЇїЄєҐґ’«»“”„…–—]")


def needs_repair(text: str) -> bool:
    """A quick check: False means that `repaired` would change nothing."""
    if "\\" in text or "=?" in text or "\0" in text:
        return True
    if ("&" in text and ";" in text and _REFERENCE.search(text)) or ("%" in text and _HIGH.search(text)):
        return True
    uncommon = [] if text.isascii() else _UNCOMMON.findall(text)
    return bool(uncommon) and (
        (not _BEGIN_AS_LATIN.isdisjoint(uncommon) and _AS_LATIN.search(text) is not None)
        or _AS_OTHERS.search(text) is not None
        or (len(uncommon) > 2 and _LATIN_FOR_CYRILLIC.search(text) is not None)
        or "\ufeff" in uncommon
        or not unicodedata.is_normalized("NFC", text)
    )


def repaired(text: str) -> str:
    if not needs_repair(text):
        return text
    text = text.replace("\0", "\ufffd").replace("\ufeff", "")
    for _ in range(_ROUNDS):
        before = text
        text = _unquoted(_unescaped(_read_again(text)))
        if text == before:
            break
    return unicodedata.normalize("NFC", text.replace("\0", "\ufffd"))


_repaired_name = lru_cache(maxsize=4_096)(repaired)


def repaired_object(tree: Tree) -> Tree:
    """Repairs the names and texts of a whole tree. Most need nothing, so they are checked in one pass."""
    return _repaired_names(tree) if _tree_needs_repair(tree) else tree


def _tree_needs_repair(tree: Value) -> bool:
    return needs_repair(_ESCAPED.sub(" ", encode(tree)))


def _repaired_names(tree: Tree) -> Tree:
    """Repairs names. Of two that become equal, the second keeps its old name."""
    new: Tree = {}
    for name, value in tree.items():
        better = _repaired_name(name) if len(name) <= _CACHED else repaired(name)
        new[name if better in new else better] = _repaired_value(value)
    return new


def _repaired_value(value: Value) -> Value:
    if isinstance(value, str):
        return repaired(value) if needs_repair(value) else value
    if not isinstance(value, NESTED) or not _tree_needs_repair(value):
        return value
    return _repaired_names(value) if isinstance(value, dict) else [_repaired_value(item) for item in value]


def _unescaped(text: str) -> str:
    """Decodes numeric references of HTML, and named ones when the whole text was escaped."""
    if "&" in text:
        text = _NUMBERED.sub(lambda found: _once(found[0]), text)
        if _NAMED.search(text) and not _UNESCAPED.search(text):
            text = _NAMED.sub(lambda found: _once(found[0]), text)
    if "\\u" in text:
        text = _JSON_ESCAPES.sub(_of_json, text)
    if "\\" in text and _SLASHED.fullmatch(text):
        text = _SLASH.sub(r"\1", text)
    if "=?" in text and _MAIL_WORDS.fullmatch(text):
        text = _of_mail(text)
    return text


def _once(reference: str) -> str:
    while reference.startswith("&amp;"):
        reference = "&" + reference[5:]
    return html.unescape(reference)


def _of_json(found: re.Match[str]) -> str:
    """\\u041e\\u043b, as text: a JSON that was written into another."""
    units = [int(unit, 16) for unit in found[0].split("\\u")[1:]]
    return b"".join(unit.to_bytes(2, "big") for unit in units).decode("utf-16-be", "replace")


def _of_mail(text: str) -> str:
    """Decodes =?UTF-8?B?0J7Quw==?=, as a mail's header has a name (RFC 2047)."""
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text


def _unquoted(text: str) -> str:
    """Decodes %D0%9E as text: a form that was encoded twice. A URL keeps its escapes."""
    if "%" not in text or "://" in text or not _PERCENT.fullmatch(text):
        return text
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        return text


def _read_again(text: str) -> str:
    """Repairs UTF-8 that was decoded as another charset, or windows-1251 that was decoded as Latin letters."""
    if _AS_LATIN.search(text) or _AS_OTHERS.search(text):
        for charset in _READERS:
            if (again := _as_utf8(text, charset)) and likelihood(again) > likelihood(text):
                return again
    if _LATIN_FOR_CYRILLIC.search(text) and (raw := _bytes_of(text, "cp1252")):
        again = raw.decode("cp1251", "replace")
        if "\ufffd" not in again and likelihood(again) > likelihood(text) + 3:
            return again
    return text


def _as_utf8(text: str, charset: str) -> str:
    raw = _bytes_of(text, charset)
    try:
        again = raw.decode()
    except UnicodeDecodeError:
        return ""
    letters = len(text) - len(again)
    return again if letters > (charset == "cp1251") else ""  # "РІ" may well be a word, and no в


def _bytes_of(text: str, charset: str) -> bytes:
    """Returns the bytes that were decoded as this text."""
    try:
        return text.encode(charset, "potik.control")
    except UnicodeEncodeError:
        return b""


def _control(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    if not all("\x80" <= letter <= "\x9f" for letter in letters):
        raise error
    return bytes(map(ord, letters)), error.end


codecs.register_error("potik.control", _control)
