"""Lines of a statement as facts of POST /facts: each a payment report, with an id that follows from what it says."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

import msgspec

from services.statements.identity import Named, named
from services.statements.lines import IBAN, Line, Statement, bare

DIGITS = 16  # of a digest
REVERSAL = "Reversal. "  # words by which a payment is known as no customer's: crm/decisions/purpose_words.py
ENCODER = msgspec.json.Encoder(order="deterministic")
# The provider and the id of the payment that a bank's reference proves, or None: `Connector.statement`.
Proof = Callable[[str], tuple[str, str] | None]


def distinct(statements: list[Statement]) -> list[Statement]:
    """Leaves out a statement that its file holds twice: the same number, balances and lines."""
    seen: set[bytes] = set()
    kept = []
    for statement in statements:
        lines = [msgspec.structs.replace(line, place=0) for line in statement.lines]
        content = statement.account, statement.name, statement.opening, statement.closing, lines
        key = msgspec.json.encode(content)
        if not (statement.name and statement.lines) or key not in seen:
            kept.append(statement)
        seen.add(key)
    return kept


def fact_lines(statements: list[Statement], zone: ZoneInfo, proof: Proof | None = None) -> Iterator[tuple[int, bytes]]:
    """Yields the place of each line in its file, and its fact as JSON."""
    for one in named(line for statement in statements for line in statement.lines):
        proven = proof(one.line.bank_reference) if proof and one.line.bank_reference else None
        yield one.line.place, encoded(Named(one.line, *proven) if proven else one, zone)


def encoded(one: Named, zone: ZoneInfo) -> bytes:
    line = one.line
    fact = {
        "type": "PaymentReported",
        "provider": one.provider,
        "payment": one.payment,
        "status": line.state.value,
        "amount_minor": line.amount_minor,
        "currency": line.currency,
        "changed_at": moment_of(line, zone).isoformat(),
        "purpose": f"{REVERSAL}{line.purpose}".strip() if line.reversal else line.purpose,
        "reference": line.reference,
        "payer": {
            "name": line.name,
            "iban": line.iban if IBAN.fullmatch(line.iban) else "",
            "tax_id": line.tax_id if line.tax_id.isdecimal() and 8 <= len(line.tax_id) <= 12 else "",
        },
        "account": bare(line.account),
    }
    digest = hashlib.sha256(ENCODER.encode(fact)).hexdigest()[:DIGITS]
    return ENCODER.encode({"id": f"{one.provider}/{one.payment}/{digest}", **fact})


def moment_of(line: Line, zone: ZoneInfo) -> datetime:
    """The time of a line in the bank's zone; the beginning of its day where the bank tells none."""
    if isinstance(line.at, datetime):
        return line.at
    return datetime.combine(line.day, line.at or time(), zone)
