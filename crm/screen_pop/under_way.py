"""Calls that ring already when a screen is opened, from their rows."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from crm.events import CallUpdated
from crm.scalars import Id, Micros
from crm.shared import Meta, Phone
from crm.vocabulary import CallPhase, Direction


class RingingRow(Struct, frozen=True):
    """What the row of a call says."""

    call_id: Id
    contact_id: Id
    call: str
    phone: str
    phone_text: str
    line: str
    known: bool
    employee: str
    legs: tuple[str, ...]  # JSON of each
    touched_at: Micros


def reports_of(row: RingingRow, workspace: Id) -> Iterator[CallUpdated]:
    """Yields the reports by which it would be shown now: one for each employee who is still rung."""
    legs: list[dict[str, Any]] = [msgspec.json.decode(text) for text in row.legs]
    rung = [(leg["leg"], leg["employee"]) for leg in legs if leg.get("employee") and not leg.get("disposition")]
    meta = Meta(row.call_id, workspace, row.contact_id, row.touched_at, row.touched_at, "", row.call_id)
    for leg, employee in rung or [("", row.employee)]:
        yield CallUpdated(
            meta,
            row.call_id,
            row.contact_id,
            CallPhase.RINGING,
            employee=employee,
            call=row.call,
            direction=Direction.IN,
            phone=Phone(row.phone_text, row.phone),
            line=row.line,
            known=row.known,
            leg=leg,
        )
