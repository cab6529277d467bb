"""Deliveries that say nothing to a seller: taken and noted, or waiting for somebody to mend their connector."""

import re
from collections.abc import Iterator
from hashlib import sha256

from msgspec.structs import replace

from crm.connector import HOME
from crm.contract.codec import TYPE_NAMES, decode, encode
from crm.decisions.case import Case
from crm.decisions.fact_rule import FactRule
from crm.envelope import Event, Fact, named_id
from crm.errors import Malformed
from crm.events import DeliveryNoted, FactQuarantined
from crm.facts import DeliveryKept, DeliveryQuarantined, DeliveryReparsed, FactRetried
from crm.leads import identifiers_in
from crm.scalars import Id
from crm.shared import Raw
from crm.state import Workspace
from crm.state.entities import ONLY
from crm.versions import OPEN_API, digest_of

NOBODY = Id("00000000-0000-0000-0000-000000000000")  # the workspace of a record that does not even tell its own
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OTHER_VERSION = (
    "Another content was received before under the id of this fact, and stays as it was decided. This version changed "
    "nothing and is kept here. Send it under an id of its own; or reparse it, and it is decided as a fact of its own."
)
EXCERPT = 500  # characters
NO_RAW = Raw("", {}, "", b"")


def delivery_kept(fact: DeliveryKept, case: Case) -> Iterator[Event]:
    yield DeliveryNoted(case.meta(fact.meta.id), fact.connector, fact.kind, "it means nothing here yet; kept raw")


def delivery_quarantined(fact: DeliveryQuarantined, case: Case) -> Iterator[Event]:
    yield quarantined(case, fact.connector, fact.reason)


def quarantined(case: Case, connector: str, reason: str) -> FactQuarantined:
    """The bytes stay where meta.cause_* says; the excerpt is for eyes: broken letters and NUL are replaced."""
    raw: Raw = getattr(case.fact, "raw", NO_RAW)
    workspace = case.state.get(Workspace, ONLY)
    phones, emails = identifiers_in(raw.body, (workspace or HOME).country)
    return FactQuarantined(
        meta=case.meta(case.fact.meta.id),
        quarantine_id=case.fact.meta.id,
        connector=connector,
        reason=reason,
        content_type=raw.content_type,
        size=len(raw.body),
        sha256=sha256(raw.body).hexdigest(),
        excerpt=raw.body[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT].replace("\0", "\ufffd"),
        phones=phones,
        emails=emails,
    )


def sent_by(fact: Fact) -> str:
    """Returns the connector of a fact; of the open API the type of the fact, as it says what somebody waits for."""
    return TYPE_NAMES[type(fact)] if fact.meta.actor == OPEN_API else fact.meta.actor


def set_aside(fact: Fact, reason: str) -> Fact:
    """The same fact on its way to quarantine. One that lies there already stays there, with its new reason."""
    if isinstance(fact, FactRetried):
        return DeliveryReparsed(fact.meta, fact.quarantine_id, 0, reason)
    return DeliveryQuarantined(fact.meta, raw_of(encode(fact)), TYPE_NAMES[type(fact)], reason)


def other_version(fact: Fact) -> Fact:
    """The version as a quarantined delivery, under an id that is the same whenever this version comes again."""
    aside = set_aside(fact, OTHER_VERSION)
    return replace(aside, meta=replace(fact.meta, id=named_id(fact.meta.id, f"version/{digest_of(fact)}")))


def raw_of(body: bytes) -> Raw:
    """A record of Kafka as raw bytes."""
    return Raw("avro/binary", {"sha256": sha256(body).hexdigest()}, "", body)


def decode_fact(value: bytes) -> Fact:
    """The fact of a record that can be decided on, or quarantined as somebody's. Raises Malformed."""
    fact = decode(value)
    if not isinstance(fact, Fact):
        raise Malformed(f"{TYPE_NAMES[type(fact)]} is no fact")
    if not (UUID.fullmatch(fact.meta.id) and UUID.fullmatch(fact.meta.workspace)):
        raise Malformed("meta.id and meta.workspace must be UUIDs in canonical text")
    return fact


KEPT = FactRule(DeliveryKept, delivery_kept)
QUARANTINED = FactRule(DeliveryQuarantined, delivery_quarantined, family="quarantine", needs_workspace=False)
