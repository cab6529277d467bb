"""What a quarantined record leads to when it is taken up again: pure, on the real connectors."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from crm.connector import Connection, Connector, Delivery, Report, Webhook
from crm.contract.codec import decode, encode
from crm.decisions.delivery import NOBODY
from crm.envelope import Fact, named_id
from crm.facts import DeliveryDiscarded, DeliveryQuarantined, DeliveryReparsed, FactRetried, FormSubmitted
from crm.rereads import Entry
from crm.scalars import Id, Micros
from crm.shared import Raw
from crm.topics import INTAKE, QUARANTINE
from services.connectors import CONNECTORS
from services.operations.quarantine import rereading
from services.operations.quarantine.formatting import age, delivery_of, hex_dump, iso, readable
from services.operations.quarantine.reparsing import first_of_each_sender
from services.operations.quarantine.rereading import Attempt, Operator
from tests.support import rehearse
from tests.support.scenarios import CONNECTION, NOON, SHOP, form

FORM = Connection(CONNECTION, SHOP, "form", "secret", {"country": "UA"})
HEADERS, BODY = rehearse.form({"name": "Olena", "phone": "067 123 45 67", "form_id": "call me"})
POST = Delivery(HEADERS, BODY, NOON, "utm=1", "trace-1")


def stumbling(_delivery: Delivery, _connection: Connection) -> Iterator[Report]:
    raise KeyError("phone")


OLD = replace(CONNECTORS["form"], webhook=Webhook(lambda *_: None, stumbling))


@dataclass(frozen=True)
class Kept:
    """A record as aiokafka gives it."""

    value: bytes | None
    topic: str = QUARANTINE.name
    key: bytes | None = b"key"
    headers: tuple[tuple[str, bytes], ...] = ()


def by(connector: Connector | None = None, connection: Connection | None = FORM) -> Operator:
    connectors = {**CONNECTORS, "form": connector or CONNECTORS["form"]}
    return Operator("anna", Micros(NOON + 1), {connection.id: connection} if connection else {}, connectors)


def entry(id: Id, attempts: int = 0, workspace: Id = SHOP) -> Entry:
    said = "form", "no phone", "text/plain", 9, "ab"
    return Entry(id, workspace, CONNECTION, *said, QUARANTINE.name, 1, 7, "waiting", attempts, "", NOON, NOON)


def quarantined() -> DeliveryQuarantined:
    (fact,) = OLD.read(POST, FORM)
    assert isinstance(fact, DeliveryQuarantined)
    return fact


def tried(fact: Fact, operator: Operator, attempts: int = 0) -> Attempt:
    return rereading.attempt(entry(fact.meta.id, attempts), attempts, Kept(encode(fact)), operator)


def test_a_fixed_connector_gives_the_facts_that_it_should_have_given() -> None:
    """The same ids as from the door: if the vendor has sent it again meanwhile, it counts once."""
    (expected,) = CONNECTORS["form"].read(POST, FORM)
    bad = quarantined()
    found = tried(bad, by())
    (sent,) = found.facts
    assert decode(sent.value or b"") == expected
    assert (sent.topic, sent.key) == (INTAKE["forms"].name, expected.meta.stream.encode())
    verdict = decode(found.verdict.value or b"")
    assert isinstance(verdict, DeliveryReparsed)
    assert (verdict.quarantine_id, verdict.facts, verdict.reason, verdict.meta.actor) == (bad.meta.id, 1, "", "anna")
    assert (verdict.meta.cause_topic, verdict.meta.cause_partition, verdict.meta.cause_offset) == (
        QUARANTINE.name,
        1,
        7,
    )
    assert found.ids == (expected.meta.id, named_id(bad.meta.id, "attempt/1"))
    assert found.senders == {expected.meta.stream}
    assert (found.expected_status, found.summary) == ("released", "it gives FormSubmitted")


def test_a_connector_that_is_not_mended_says_why_again() -> None:
    found = tried(quarantined(), by(OLD), attempts=3)
    assert (found.facts, found.expected_status) == ((), "waiting")
    verdict = decode(found.verdict.value or b"")
    assert (verdict.reason, verdict.facts) == ("form could not read it: KeyError('phone')", 0)
    assert verdict.meta.id == named_id(quarantined().meta.id, "attempt/4")


def test_a_form_of_too_many_fields_still_waits_though_the_form_itself_is_sent() -> None:
    headers, body = rehearse.form({"phone": "0671234567"} | {f"f{n}": n for n in range(600)})
    delivery = Delivery(headers, body, NOON)
    form, rest = CONNECTORS["form"].read(delivery, FORM)
    found = tried(rest, by())
    assert [decode(record.value or b"") for record in found.facts] == [form]
    assert found.expected_status == "waiting"
    assert "fields above the 500 that were kept" in found.summary


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        (by(connection=None), f"The connection {CONNECTION} is not declared any more; its settings are needed."),
        (Operator("anna", NOON, {FORM.id: FORM}, {}), "There is no connector 'form' in this version "
         "of Potik."),
    ],
)  # fmt: skip
def test_what_is_needed_and_is_not_there_is_named(operator: Operator, reason: str) -> None:
    found = tried(quarantined(), operator)
    assert (found.facts, found.summary) == ((), reason)


def test_a_fact_that_stumbled_goes_back_whole() -> None:
    fact = form("1", phones=["+380671234567"])
    found = tried(fact, by())
    verdict = decode(found.verdict.value or b"")
    assert isinstance(verdict, FactRetried)
    assert (verdict.fact, verdict.quarantine_id) == (encode(fact), fact.meta.id)
    assert (found.verdict.topic, found.verdict.key) == (QUARANTINE.name, fact.meta.stream.encode())
    assert (len(found.facts), [*found.senders]) == (0, [fact.meta.stream])


def test_a_record_that_nobody_could_read_is_sent_as_it_lies_once_it_can() -> None:
    fact = form("1")
    place = named_id(NOBODY, "crm.intake.forms/1/7")
    kept = Kept(encode(fact), INTAKE["forms"].name, b"k", (("ce_id", b"1"),))
    found = rereading.attempt(entry(place, workspace=NOBODY), 0, kept, by())
    assert [(r.topic, r.key, r.value, r.headers) for r in found.facts] == [
        (INTAKE["forms"].name, b"k", encode(fact), (("ce_id", b"1"),))
    ]
    assert decode(found.verdict.value or b"").meta.workspace == NOBODY
    still = rereading.attempt(entry(place, workspace=NOBODY), 0, Kept(None), by())
    assert still.summary == "the record is not framed: it must begin with a zero byte and a schema id"


def test_a_fact_too_large_to_be_wrapped_says_so() -> None:
    fact = FormSubmitted(form("1").meta, Raw("text/plain", {}, "", b"x" * 1_999_700))
    assert len(encode(fact)) <= 2_000_000
    found = tried(fact, by())
    assert found.summary.startswith("with its envelope it takes 2000")
    assert found.expected_status == "waiting"


def test_a_discard_names_the_operator_and_the_reason() -> None:
    record = rereading.discarded(entry(quarantined().meta.id), 2, "a test of ours", by())
    fact = decode(record.value or b"")
    assert isinstance(fact, DeliveryDiscarded)
    assert (fact.reason, fact.meta.actor, record.topic) == ("a test of ours", "anna", QUARANTINE.name)
    assert fact.meta.id == named_id(fact.quarantine_id, "discard/2")


def test_each_sender_has_one_at_a_time_and_the_oldest_is_first() -> None:
    names = ["a", "a", "b", "", "a", "b"]
    those = [
        Attempt(entry(Id(str(n))), 0, (), None, (), frozenset([name] if name else []), "", "")  # type: ignore[arg-type]  # no record is looked at
        for n, name in enumerate(names)
    ]
    waves = []
    while those:
        wave, those = first_of_each_sender(those)
        waves.append([one.entry.id for one in wave])
    assert waves == [["0", "2", "3"], ["1", "5"], ["4"]]


def test_ages_and_moments_are_written_for_people() -> None:
    assert [age(NOON, Micros(NOON + s * 1_000_000)) for s in (-1, 0, 119, 120, 7_200, 172_800)] == [
        "0 s", "0 s", "119 s", "2 m", "2 h", "2 d",
    ]  # fmt: skip
    assert iso(NOON) == "2026-01-01T10:00:00Z"


def test_bytes_are_shown_as_text_or_as_a_dump() -> None:
    assert readable("Олена\r\n".encode()) == "Олена\r\n"
    assert readable(b"\0PK\x01 a") == f"00000000  {'00 50 4b 01 20 61':<47}  .PK. a"
    assert readable("ю".encode() * 2_001).endswith("ю\n… 2 more bytes: --raw prints all")
    assert hex_dump(bytes(range(17))).splitlines()[1] == f"00000010  {'10':<47}  ."


def test_the_bytes_of_a_record_are_those_of_the_delivery_in_it() -> None:
    fact, raw = delivery_of(Kept(encode(quarantined())))
    assert (fact, raw.body) == (quarantined(), BODY)
    fact, raw = delivery_of(Kept(encode(form("1"))))
    assert (fact, raw.body) == (form("1"), encode(form("1")))
    fact, raw = delivery_of(Kept(b"hello"))
    assert (fact, raw.body) == (None, b"hello")
