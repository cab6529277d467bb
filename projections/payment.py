"""One row per payment: what the bank reported, and the deal it belongs to."""

from typing import Any

from msgspec import json
from msgspec.structs import replace

from crm.envelope import Row
from crm.events import (
    PaymentCorrected,
    PaymentMatched,
    PaymentParked,
    PaymentPartRecorded,
    PaymentRecorded,
    PaymentShared,
    PaymentUnmatched,
)
from crm.projection import projection
from crm.scalars import Id, Micros


class PaymentRow(Row, frozen=True, gc=False):
    """A payment. `parked` while it fits no deal; `why` says what it could be for and what is missing, or how its deal
    was found. Of one that was split, the deal and the contact are those of its first share."""

    payment_id: Id
    deal_id: Id | None
    contact_id: Id | None
    provider: str
    payment: str
    status: str
    amount_minor: int
    refunded_minor: int
    currency: str
    purpose: str
    reference: str
    payer_name: str
    payer_iban: str
    account: str
    parked: bool
    matched_by: str
    why: str
    changed_at: Micros
    touched_at: Micros
    version: int = 1  # how many events it is a fold of; give it as expectedVersion
    created_at: Micros = Micros(0)
    candidates: tuple[str, ...] = ()  # ids of the deals that it could be for, while it is parked
    shares: tuple[str, ...] = ()  # JSON text of each share of a split payment: deal_id, contact_id, share_minor
    suspicious: str = ""  # why it is worth a look; empty if it is not
    doubts: tuple[str, ...] = ()  # what was reported of it and could not be read with certainty
    source: str = ""  # of its deal; of a split payment, of the deal of its first share
    fee_minor: int = 0  # what the provider keeps of it; not taken off the amount


PaymentUpdate = (
    PaymentPartRecorded | PaymentMatched | PaymentShared | PaymentParked | PaymentUnmatched | PaymentCorrected
)
UNMATCHED = {"deal_id": None, "contact_id": None, "parked": True, "matched_by": "", "suspicious": "", "source": ""}


@projection(
    key="payment_id",
    version=6,
    indexes=(
        "touched_at",
        "created_at",
        "currency, amount_minor",
        "status, touched_at",
        "parked, touched_at",
        "deal_id, touched_at",
        "contact_id, touched_at",
        "candidates",
    ),
    totals=("parked", "provider, status by created_at", "source, status by created_at"),
    summed=("amount_minor", "refunded_minor"),
)
def payment(row: PaymentRow | None, event: PaymentRecorded | PaymentUpdate) -> PaymentRow | None:
    if isinstance(event, PaymentRecorded):
        return recorded(event, row)
    if row is None:
        return None
    at = max(row.touched_at, event.meta.occurred_at)
    why = row.why if isinstance(event, PaymentPartRecorded) else event.why  # how its deal was found stays
    return replace(row, why=why, touched_at=at, version=row.version + 1, **changes(row, event))


def changes(row: PaymentRow, event: PaymentUpdate) -> dict[str, Any]:
    """Returns the columns that an event changes."""
    match event:
        case PaymentPartRecorded():
            return {
                "status": event.payment_status or row.status,
                "amount_minor": event.payment_amount_minor,
                "refunded_minor": event.payment_refunded_minor,
                "suspicious": event.suspicious or row.suspicious,
            }
        case PaymentMatched():
            return {**match_columns(event), "matched_by": event.by, "suspicious": event.suspicious}
        case PaymentShared():
            first = {} if row.shares else {**match_columns(event), "matched_by": "hand"}
            return {**first, "shares": (*row.shares, share(event))}
        case PaymentParked():
            return {**UNMATCHED, "shares": (), "candidates": event.candidates}
        case PaymentUnmatched():
            return {**UNMATCHED, "shares": tuple(text for text in row.shares if event.deal_id not in text)}
        case PaymentCorrected():
            return {"amount_minor": event.amount_minor, "currency": event.currency, "doubts": ()}


def match_columns(event: PaymentMatched | PaymentShared) -> dict[str, Any]:
    """Returns the columns of a match."""
    known = {"deal_id": event.deal_id, "contact_id": event.contact_id, "source": event.source}
    return {**known, "parked": False, "candidates": ()}


def share(event: PaymentShared) -> str:
    """Returns a share of a split payment as JSON text."""
    fields = {"deal_id": event.deal_id, "contact_id": event.contact_id, "share_minor": event.share_minor}
    return json.encode(fields).decode()


def recorded(event: PaymentRecorded, row: PaymentRow | None) -> PaymentRow:
    """Returns the row as the bank reports it now. Keeps the match and the shares of an earlier report."""
    return PaymentRow(
        payment_id=event.payment_id,
        deal_id=row.deal_id if row else None,
        contact_id=row.contact_id if row else None,
        provider=event.provider,
        payment=event.payment,
        status=event.status,
        amount_minor=event.amount_minor,
        refunded_minor=event.refunded_minor,
        currency=event.currency,
        purpose=event.purpose,
        reference=event.reference,
        payer_name=event.payer.name,
        payer_iban=event.payer.iban,
        account=event.account,
        parked=row.parked if row else False,
        matched_by=row.matched_by if row else "",
        why=row.why if row else "",
        version=row.version + 1 if row else 1,
        candidates=row.candidates if row else (),
        shares=row.shares if row else (),
        source=row.source if row else "",
        suspicious=event.suspicious or (row.suspicious if row else ""),
        doubts=event.doubts,
        fee_minor=event.fee_minor,
        changed_at=event.changed_at,
        touched_at=max(row.touched_at, event.meta.occurred_at) if row else event.meta.occurred_at,
        created_at=row.created_at if row else event.meta.occurred_at,
    )
