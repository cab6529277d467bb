"""The identity of a statement's line: the same in every file that holds it, and another one for an equal second line.

Files overlap, and banks change texts between formats. So a line is named by as little as is certain: the bank's
reference; else the number of the payer's document with the payer's account; else all that it says. To this come the
day, the sum and the account, and which of several equal lines of that day it is.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.statements.columns import LATIN_LOOKALIKES
from services.statements.lines import Line, bare

BY_REFERENCE, BY_DOCUMENT, BY_TEXT = "statement", "statement-document", "statement-text"
DIGITS = 24  # of a digest


class Named(NamedTuple):
    """A line with the id of its payment, which is unique within `provider`: how the line is named."""

    line: Line
    provider: str
    payment: str


def named(lines: Iterable[Line]) -> Iterator[Named]:
    """Yields the lines of one file with their ids. Equal lines of one day are counted in the order of the file."""
    seen: Counter[tuple[str, str]] = Counter()
    for line in lines:
        provider, words = words_of(line)
        day, sum_text = line.day.isoformat(), f"{line.amount_minor} {line.currency}"
        content = "\0".join((bare(line.account), day, sum_text, str(line.reversal), *words))
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
        seen[provider, digest] += 1
        count = seen[provider, digest]
        yield Named(line, provider, f"{bare(line.account)}/{day}/{digest}" + (f"/{count}" if count > 1 else ""))


def words_of(line: Line) -> tuple[str, tuple[str, ...]]:
    if line.bank_reference:
        return BY_REFERENCE, (line.bank_reference,)
    if line.document and line.iban:
        return BY_DOCUMENT, (line.document.lstrip("0"), line.iban)
    return BY_TEXT, (line.document, line.end_to_end, line.iban, line.tax_id, folded(line.name), folded(line.purpose))


def folded(text: str) -> str:
    """Letters and digits alone, in which banks' spellings of one text agree: blanks, marks and Latin letters go."""
    return "".join(filter(str.isalnum, text.casefold())).translate(LATIN_LOOKALIKES)
