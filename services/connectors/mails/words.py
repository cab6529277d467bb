"""Headers and texts of mails in their letters: encoded words, and bytes that say no charset or a wrong one."""

import re
from email.errors import HeaderParseError
from email.header import decode_header

from services.connectors.formats.charset import charset_named, decode_each, is_guessed

JUDGED = ("utf-8", "cp1252")  # what programs say that know nothing of it
_FOLD = re.compile(r"\r?\n[ \t]*")
_NO_TEXT = re.compile("[\ud800-\udfff\0]")


def decoded(content: bytes, charset: str) -> str:
    """Decodes by the charset that is said where the bytes agree, else by what they are."""
    name = charset_named(charset)
    said = name or charset.strip("\"' ")
    if name in JUDGED or (is_guessed(name) and is_utf8(content)):
        said = ""
    if said:
        try:
            return sound(content.decode(said))
        except (LookupError, ValueError):
            pass
    return sound(decode_each([content], name)[0])


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def sound(text: str) -> str:
    """Returns text that UTF-8 and Postgres can hold."""
    return _NO_TEXT.sub("\ufffd", text) if not text.isascii() or "\0" in text else text


def raw_text(header: str) -> str:
    """Returns a header as it came, one line: bytes that are no ASCII are decoded by what they are."""
    if not header.isascii():
        header = decoded(header.encode("utf-8", "surrogateescape"), "")
    return _FOLD.sub(" ", header).strip()


def decoded_words(header: str) -> str:
    """Decodes `=?UTF-8?B?...?=`. What cannot be decoded stays as it is."""
    if "=?" not in header:
        return header
    try:
        parts = decode_header(header)
    except (HeaderParseError, ValueError):
        return header
    return "".join(part if isinstance(part, str) else decoded(part, charset or "") for part, charset in parts)
