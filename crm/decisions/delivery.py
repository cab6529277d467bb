"""Deliveries that say nothing to a seller: taken and noted, or waiting for somebody to mend their connector."""

from collections.abc import Iterator
from hashlib import sha256

from crm.decisions.case import Case
from crm.envelope import Event
from crm.events import DeliveryNoted, FactQuarantined
from crm.facts import DeliveryKept, DeliveryQuarantined
from crm.shared import Raw

EXCERPT = 500  # characters
NO_RAW = Raw("", {}, "", b"")


def delivery_kept(fact: DeliveryKept, case: Case) -> Iterator[Event]:
    yield DeliveryNoted(case.meta(fact.meta.id), fact.connector, fact.kind, "it means nothing here yet; kept raw")


def delivery_quarantined(fact: DeliveryQuarantined, case: Case) -> Iterator[Event]:
    yield quarantined(case, fact.connector, fact.reason)


def quarantined(case: Case, connector: str, reason: str) -> FactQuarantined:
    """The bytes stay where meta.cause_* says; the excerpt is for eyes: broken letters and NUL are replaced."""
    raw: Raw = getattr(case.fact, "raw", NO_RAW)
    return FactQuarantined(
        meta=case.meta(case.fact.meta.id),
        quarantine_id=case.fact.meta.id,
        connector=connector,
        reason=reason,
        content_type=raw.content_type,
        size=len(raw.body),
        sha256=sha256(raw.body).hexdigest(),
        excerpt=raw.body[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT].replace("\0", "\ufffd"),
    )
