"""E-mail addresses as people write them: what is certainly one, in the one form in which two can be compared."""

import re
import unicodedata
from functools import lru_cache

import idna

_LONGEST = 1_000
_CACHED = 128
_PLAIN = re.compile(r"[a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}")
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_ANGLE = re.compile(r"<([^<>]*)>")
_REMARK = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BETWEEN = re.compile(r"[,;|\n\r]+|(?<=\s)(?:/|або|чи|та|і|и|или|or|and|lub|oder|&)(?=\s)", re.IGNORECASE)
_LABEL = re.compile(r"^[^\W\d_][\w .-]{0,30}:\s*")
_MAILTO = re.compile(r"\bmailto:([^\s?]+)(?:\?\S*)?", re.IGNORECASE)
_LINK = re.compile(r"\w+://")
_EDGES = " \t\"'`«»“”„‘’.,;:!?…"
_BEGINS = _EDGES.replace(".", "")  # a point in front belongs to a word that is missing
_NUMBER = re.compile(r"\+?[0-9()-]{7,20}")  # of a telephone: behind an address it is no part of one
_DASH = re.compile(r"\s+[-–—]+\s+")


def emails_in(text: str) -> list[str]:
    """Every address that a text, meant as an address, certainly holds: once each, in order, in lower case.

    A domain in other letters than Latin is kept in these letters. What could be the end of another address (a blank
    inside, a comma for a point), or has letters of two scripts, is none.
    """
    if len(text) <= _CACHED:
        return list(_cached(text))
    return list(_emails(text)) if len(text) <= _LONGEST else []


def _emails(text: str) -> tuple[str, ...]:
    if "@" not in text and "＠" not in text and "﹫" not in text:
        return ()
    lower = text.strip().lower()
    if len(lower) <= 254 and _PLAIN.fullmatch(lower) and "xn--" not in lower:
        return (lower,) if lower.index("@") <= 64 else ()
    text = _MAILTO.sub(r"\1", _shown(text))
    if _LINK.search(text):
        return ()
    found: dict[str, None] = {}
    for inside in _ANGLE.findall(text):
        if address := address_of(inside):
            found[address] = None
        elif "@" in inside:
            return ()
    outside = _REMARK.sub(" ", _ANGLE.sub(",", text))
    if found and "@" not in outside:
        return tuple(found)  # around it is the name of its owner
    for piece in _BETWEEN.split(outside):
        addresses = _of_piece(piece)
        if addresses is None:
            return ()
        found |= dict.fromkeys(addresses)
    return tuple(found)


_cached = lru_cache(maxsize=16_384)(_emails)


def _of_piece(piece: str) -> list[str] | None:
    """The addresses between two marks; None if the words around may be a part of one."""
    piece = _LABEL.sub("", piece.rstrip(_EDGES).lstrip(_BEGINS))
    if not piece:
        return []
    if "@" not in piece:
        return [] if _is_remark(piece) else None
    if piece.count("@") > 1 and "/" in piece:
        piece = piece.replace("/", " ")
    addresses: list[str] = []
    for part in _DASH.split(piece):  # behind a dash stands a remark
        words = part.split()
        for word in words:
            if "@" in word:
                if not (address := address_of(word)):
                    return None
                addresses.append(address)
            elif part is not piece and "@" not in part:
                continue
            elif not (_is_remark(word) or (addresses and _NUMBER.fullmatch(word))):
                return None
    return addresses


def _is_remark(word: str) -> bool:
    """Words in other letters than an address has cannot have been cut off from one."""
    return not any(letter.isascii() and letter.isalnum() for letter in word)


def address_of(word: str) -> str:
    """One address alone, in its one form; empty if it is none that is certain."""
    local, at, domain = word.rstrip(_EDGES).lstrip(_BEGINS).strip("<>").lower().rpartition("@")
    if not at or "@" in local or not 1 <= len(local) <= 64 or not _LOCAL.fullmatch(local):
        return ""
    host = _host(domain)
    if not host or (not local.isascii() and (len(scripts_of(local)) > 1 or scripts_of(local) != scripts_of(host))):
        return ""  # a Cyrillic о in a Latin address looks right and reaches nobody
    address = f"{local}@{host}"
    return address if len(address) <= 254 else ""


def _host(domain: str) -> str:
    """A domain in its own letters; empty where it is none, or a label of it mixes scripts."""
    if "." not in domain:
        return ""
    if domain.isascii() and "xn--" not in domain:
        return domain if _PLAIN.fullmatch("a@" + domain) else ""
    try:
        shown = idna.decode(idna.encode(domain, uts46=True))
    except (idna.IDNAError, UnicodeError):
        return ""
    labels = shown.split(".")
    mixed = any(len(scripts_of(label)) > 1 for label in labels)
    return "" if mixed or not labels[-1][:1].isalpha() or len(labels[-1]) < 2 else shown


def scripts_of(text: str) -> set[str]:
    """The scripts of its letters: {"LATIN"}, {"CYRILLIC"}."""
    return {unicodedata.name(letter, "?").partition(" ")[0] for letter in text if letter.isalpha()}


def _shown(text: str) -> str:
    """Full-width letters as usual ones, without what cannot be seen."""
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKC", text)
        if letter in "\n\r\t" or unicodedata.category(letter) not in ("Cf", "Cc")
    )
