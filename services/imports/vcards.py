"""Reads vCard 2.1, 3.0 and 4.0 as a table: a card is a row. Nothing that a card says is dropped."""

import base64
import quopri
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from services.imports.table import NoTable, Row, Table, unique
from services.tables.charsets import Charset, blocks_of, charset_of, said_charset, split_lines

HEADER = (
    *("UID", "Name", "First name", "Last name", "Middle name", "Phones", "Emails", "Company", "Job title"),
    *("Birthday", "Address", "Website", "Notes", "Categories", "Other"),
)
COLUMNS = {
    "uid": "UID",
    "fn": "Name",
    "tel": "Phones",
    "email": "Emails",
    "title": "Job title",
    "bday": "Birthday",
    "url": "Website",
    "note": "Notes",
    "categories": "Categories",
}
UNREAD = ("begin", "end", "version", "prodid", "rev", "photo", "logo", "sound", "key", "n", "org", "adr")
LONGEST = 4_000_000  # bytes of a card: photographs are in them
ESCAPED = re.compile(r"\\([\\,;:nN])")
LINE = re.compile(
    r"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<parameters>(?:;[^:\";]*(?:\"[^\"]*\"[^:\";]*)*)*):(?P<value>.*)", re.DOTALL
)


def read_vcards(path: Path, charset: str = "") -> Table:
    """Raises NoTable."""
    with path.open("rb") as file:
        chosen = said_charset(charset) if charset else charset_of(file)
    if next(cards(path), None) is None:
        raise NoTable("It has no card that begins and ends. Nothing was imported.")
    found = {"charset": str(chosen)}
    notes = (chosen.note,) if chosen.note else ()
    return Table("vcard", unique(list(HEADER)), partial(rows_in, path, chosen), path.stat().st_size, found, notes)


def rows_in(path: Path, charset: Charset) -> Iterator[Row]:
    for number, lines, done, wrong in cards(path):
        yield Row(number, () if wrong else cells_of(lines, charset), done, wrong)


def cards(path: Path) -> Iterator[tuple[int, list[bytes], int, str]]:
    """Yields each card: the number of its first line, its lines, the bytes up to its end, and why it is none."""
    lines: list[bytes] = []
    begins = size = done = 0
    with path.open("rb") as file:
        for number, line in enumerate(split_lines(blocks_of(file)), 1):
            done += len(line)
            word = line.strip().upper().removeprefix(b"\xef\xbb\xbf")
            if word == b"BEGIN:VCARD":
                if begins and lines:
                    yield begins, [], done - len(line), "The card has no END:VCARD."
                begins, lines, size = number, [], 0
            elif word == b"END:VCARD" and begins:
                yield begins, lines, done, "" if size <= LONGEST else "The card is larger than 4 MB."
                begins, lines = 0, []
            elif begins:
                size += len(line)
                if size <= LONGEST:
                    lines.append(line)
    if begins:
        yield begins, [], done, "The card has no END:VCARD: the file was cut."


def unfolded(lines: list[bytes]) -> Iterator[bytes]:
    """Yields whole properties: a line that begins with a blank goes on, and so does quoted-printable after a `=`."""
    whole = b""
    soft = False
    for line in lines:
        bare = line.rstrip(b"\r\n")
        if soft or (whole and line[:1] in b" \t" and line[:1]):
            whole = whole[:-1] + bare.lstrip() if soft else whole + bare[1:]
        else:
            if whole:
                yield whole
            whole = bare
        head = whole.partition(b":")[0].upper()
        soft = b"QUOTED-PRINTABLE" in head and whole.endswith(b"=")
    if whole:
        yield whole


def cells_of(lines: list[bytes], charset: Charset) -> tuple[str, ...]:
    found: dict[str, list[str]] = {name: [] for name in HEADER}
    for line in unfolded(lines):
        match = LINE.fullmatch(charset.decode(line))
        if match is None:
            continue
        name, value = match["name"].lower(), value_of(match["parameters"], match["value"], charset)
        if name == "n":
            last, first, middle, *_ = [*parts(value), "", "", ""]
            for column, part in (("Last name", last), ("First name", first), ("Middle name", middle)):
                found[column].append(part)
        elif name == "org":
            found["Company"].append(", ".join(filter(None, parts(value))))
        elif name == "adr":
            found["Address"].append(", ".join(filter(None, parts(value))))
        elif name in COLUMNS:
            text = plain(value)
            found[COLUMNS[name]].append(re.sub(r"^(?:tel|mailto):", "", text, flags=re.IGNORECASE))
        elif name not in UNREAD and value.strip():
            found["Other"].append(f"{name}: {plain(value)}")
    joined = {
        name: "\n".join(dict.fromkeys(filter(None, (text.strip() for text in texts)))) for name, texts in found.items()
    }
    return tuple(joined[name] for name in HEADER)


def value_of(parameters: str, value: str, charset: Charset) -> str:
    """Decodes quoted-printable and base64, which vCard 2.1 has, in the charset that the property names."""
    said = parameters.upper()
    named = re.search(r"CHARSET=\"?([\w-]+)", said)
    if "QUOTED-PRINTABLE" in said:
        raw = quopri.decodestring(value.encode("latin-1", "replace"))
    elif "BASE64" in said or "ENCODING=B" in said:
        try:
            raw = base64.b64decode(value)
        except ValueError:
            return value
    else:
        return value
    try:
        return raw.decode(named[1] if named else "utf-8")
    except (UnicodeDecodeError, LookupError):
        return charset.decode(raw)


def parts(value: str) -> list[str]:
    """Splits at semicolons that are not escaped."""
    return [plain(part).strip() for part in re.split(r"(?<!\\);", value)]


def plain(value: str) -> str:
    return ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
