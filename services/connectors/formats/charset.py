"""Which charset the bytes of a delivery are in: judged by what they are, the header being one piece of evidence.

Each field is judged with what the others say: UTF-8 by its own structure, charsets of one byte a letter by the words
that they give. A letter cut in the middle becomes U+FFFD, and nothing else is lost with it.
"""

import codecs
import re
from collections.abc import Sequence

from services.connectors.formats.letter_pairs import likelihood

_NAMES = {  # what headers say, apart from Python's own names
    "windows-1251": "cp1251",
    "win-1251": "cp1251",
    "windows1251": "cp1251",
    "windows-1252": "cp1252",
    "iso-8859-1": "cp1252",  # as browsers read it
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "windows-1250": "cp1250",
    "windows-1254": "cp1254",
    "windows-1257": "cp1257",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-ukrainian": "mac_cyrillic",
    "macintosh": "mac_roman",
    "ibm866": "cp866",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf8": "utf-8",
    "utf8mb4": "utf-8",
    "unicode": "utf-8",
}
_BELIEVED = re.compile(
    r"utf-?8|cp\d{3,4}|koi8-[urt]|iso-?8859-\d{1,2}|mac_\w+|big5(?:-?hkscs)?|gbk|gb2312|gb18030|euc-?(?:jp|kr)|shift_jis"
)
# How many letters' worth a charset is less usual than windows-1251, where nothing is said.
_SINGLE = {
    "cp1251": 0.0,
    "cp1252": -1.0,
    "koi8-u": -2.0,
    "cp1250": -2.0,
    "cp1125": -4.0,
    "cp866": -4.5,
    "iso8859-5": -4.5,
    "iso8859-2": -3.0,
    "mac_cyrillic": -4.0,
}
_DECLARED, _DEFAULT = 6.0, 2.0  # iso-8859-1 is what programs write that know nothing
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_PAIRED = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")  # an emoji as Java writes it
_HIGH = re.compile(rb"[\x80-\xff]")
_CUT = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})$|^[\x80-\xbf]{1,3}")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FIRST = {mark[:1] for mark, _ in _MARKS}
_UNUSUAL = re.compile("[\u0180-\u03ff\u0460-\u048f\u0492-\u1fff\u2c00-\u2fff\ua640-\uabff]")


def charset_named(said: str) -> str:
    """Returns Python's name for a header's charset; empty for one that is not believed."""
    said = said.strip().strip("\"'").lower()
    name = _NAMES.get(said, said)
    if not _BELIEVED.fullmatch(name):
        return ""
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def is_guessed(charset: str) -> bool:
    """Whether it is one of those with a byte a letter between which `decode_each` judges itself."""
    return charset in _SINGLE


def from_wide_charset(body: bytes) -> bytes:
    """Converts UTF-16 and UTF-32 to UTF-8, with or without a byte order mark; removes the mark of UTF-8."""
    head = body[:64]
    if head[:1] not in _FIRST and b"\0" not in head:
        return body
    for mark, charset in _MARKS:
        if body.startswith(mark):
            rest = body[len(mark) :]
            return rest if charset == "utf-8" else rest.decode(charset, "replace").encode("utf-8", "replace")
    if b"\0" in head and len(head) > 3:
        even, odd = head[::2].count(0) * 4, head[1::2].count(0) * 4
        if odd > len(head) > even or even > len(head) > odd:
            return body.decode("utf-16-le" if odd > even else "utf-16-be", "replace").encode("utf-8", "replace")
    return body


def decode_each(texts: Sequence[bytes], declared: str) -> list[str]:
    """Decodes every text of one delivery. `declared` is Python's name of the charset in its header, or empty."""
    try:
        decoded = [text.decode() for text in texts]
    except UnicodeDecodeError:
        return _judged(texts, declared)
    joined = "".join(decoded)
    return decoded if is_surely_utf8(joined, sum(map(len, texts)), declared) else _judged(texts, declared)


def decode_line(line: bytes, single: str, certain: bool) -> str:
    """Decodes a line of a file in which some are no UTF-8: those are in `single`. `certain`: others surely are."""
    if not (_SEQUENCE.search(line) or _CUT.search(line)):
        return line.decode(single, "replace")
    line = _PAIRED.sub(_as_one, line)
    return _one(line, *_counted(line), certain, single, "")


def is_surely_utf8(text: str, size: int, declared: str) -> bool:
    """Whether bytes, `size` of them, that can be decoded as UTF-8 to this text can be nothing else."""
    if text.isascii():
        return True
    if declared and declared != "utf-8" and declared not in _SINGLE:
        return False
    # "Ні" in windows-1251 is a letter of another world in UTF-8; more than a few such letters are no accident.
    return size - len(text) >= 12 or not _UNUSUAL.search(text)


def _judged(texts: Sequence[bytes], declared: str) -> list[str]:
    texts = [_PAIRED.sub(_as_one, text) for text in texts]
    if declared not in ("", "utf-8") and declared not in _SINGLE and (read := _believed(texts, declared)):
        return read
    counts = [_counted(text) for text in texts]
    certain = any(_is_utf8(*count) for count in counts)
    unsure = [t for t, count in zip(texts, counts, strict=True) if count[1] or _doubtful(*count)]
    single = single_byte_charset(unsure, declared)
    return [_one(t, *count, certain, single, declared) for t, count in zip(texts, counts, strict=True)]


def _as_one(pair: re.Match[bytes]) -> bytes:
    return pair[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _believed(texts: Sequence[bytes], declared: str) -> list[str]:
    """As the header says, for charsets of several bytes a letter that are not guessed at; empty if it is UTF-8."""
    utf8 = [_counted(text) for text in texts]
    if any(_is_utf8(*count) for count in utf8) and not any(bad for _, bad in utf8):
        return []
    try:
        return [text.decode(declared) for text in texts]
    except UnicodeDecodeError:
        return []


def _counted(text: bytes) -> tuple[int, int]:
    """How many letters of several bytes it has if it is UTF-8, and how many bytes that are none then."""
    if text.isascii():
        return 0, 0
    rest, letters = _SEQUENCE.subn(b"", text)
    return letters, len(_HIGH.findall(rest))


def _is_utf8(letters: int, bad: int) -> bool:
    return letters >= 3 and letters >= 2 * bad


def _doubtful(letters: int, bad: int) -> bool:
    return 0 < letters < 3 or 0 < letters < 2 * bad


def _one(text: bytes, letters: int, bad: int, certain: bool, single: str, declared: str) -> str:
    if not (letters or bad):
        return text.decode()
    utf8 = text.decode("utf-8", "replace")
    if _is_utf8(letters, bad):
        return utf8
    if not single:
        return utf8
    if not letters:
        other = text.decode(single, "replace")
        if (end := _CUT.search(text)) is None or len(end[0]) != bad:
            return other
        sure = certain or declared == "utf-8" or (bad > 1 and likelihood(utf8) > likelihood(other))
        return utf8 if sure else other
    bonus = 4.0 if certain or (declared == "utf-8" and letters >= bad) else 0.0
    other = text.decode(single, "replace")
    return utf8 if likelihood(utf8) + bonus >= likelihood(other) else other


def single_byte_charset(texts: Sequence[bytes], declared: str = "") -> str:
    """The likeliest charset of one byte a letter for these texts together; empty where none gives words."""
    joined = b"\n".join(dict.fromkeys(texts))[:4_096]
    best, best_score = "", float("-inf")
    for charset, prior in _SINGLE.items():
        try:
            text = joined.decode(charset)
        except UnicodeDecodeError:
            text = joined.decode(charset, "replace")
            prior -= 6.0
        score = likelihood(text) + prior
        if charset == declared:
            score += _DEFAULT if charset == "cp1252" else _DECLARED
        if score > best_score:
            best, best_score = charset, score
    return best
