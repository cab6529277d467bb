"""Each sample of each vendor means exactly what is written next to it, and stands what can happen to it on its way.

A new vendor writes no test: its samples, its declaration and its rehearse.py are enough. Shown on planted faults below.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from msgspec import structs

from crm.connector import Connector, Delivery, Webhook
from crm.envelope import Fact
from crm.errors import Refused
from crm.facts import DeliveryQuarantined, FormSubmitted
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import MULTIPART, URLENCODED, kind_of
from tests.support.connector_deliveries import NOW
from tests.support.sample_sweep import (
    SweptSample,
    bodies_changed,
    bodies_cut,
    delivered,
    meant,
    received,
    swept,
)

SAMPLES = swept()
SECOND = 1_000_000
each = pytest.mark.parametrize("sample", SAMPLES, ids=repr)


def ids(facts: list[Fact]) -> list[str]:
    return [fact.meta.id for fact in facts]


def is_signed(sample: SweptSample) -> bool:
    return delivered(sample).headers != sample.post[0]


def tokens_of(sample: SweptSample) -> dict[str, str]:
    """The settings that are secrets: in samples they begin with TEST-."""
    return {name: value for name, value in sample.connection.settings.items() if value.startswith("TEST-")}


@each
def test_it_means_exactly_this(sample: SweptSample) -> None:
    facts = received(sample, delivered(sample))
    assert meant(facts, sample.facts, sample.connection) == sample.facts


@each
def test_twice_is_the_same_facts_and_the_same_answer(sample: SweptSample) -> None:
    first, second = delivered(sample), delivered(sample, NOW + 60 * SECOND)
    webhook = CONNECTORS[sample.connection.connector].webhook
    assert webhook
    once, again = received(sample, first), received(sample, second)
    assert ids(once) == ids(again)
    assert webhook.answer(first, sample.connection, once) == webhook.answer(second, sample.connection, again)


@each
def test_one_with_an_id_of_its_vendor_is_the_same_a_day_later(sample: SweptSample) -> None:
    if all("key" in fact for fact in sample.facts):
        later = received(sample, delivered(sample, NOW + 86_400 * SECOND))
        assert ids(later) == ids(received(sample, delivered(sample)))


@each
def test_one_bit_changed_is_refused_or_costs_nothing_else(sample: SweptSample) -> None:
    whole = delivered(sample)
    for body in bodies_changed(whole.body):
        changed = structs.replace(whole, body=body)
        if is_signed(sample):
            with pytest.raises(Refused, match=r"Nothing was kept"):
                received(sample, changed)
        else:
            expect_kept_whole(sample, changed)


@each
def test_a_stranger_is_refused(sample: SweptSample) -> None:
    others = {**sample.connection.settings, **dict.fromkeys(tokens_of(sample), "another")}
    other = sample._replace(connection=replace(sample.connection, secret="another", settings=others))
    bare = Delivery({"content-type": sample.post[0]["content-type"]}, sample.post[1], NOW)
    if is_signed(sample) or tokens_of(sample):
        with pytest.raises(Refused, match=r"Nothing was kept"):
            received(other, delivered(sample))
        if not any(token.encode() in bare.body for token in tokens_of(sample).values()):
            with pytest.raises(Refused, match=r"Nothing was kept"):
                received(sample, bare)


@each
def test_one_whose_signature_says_an_old_time_is_refused(sample: SweptSample) -> None:
    old = delivered(sample, signed_at=NOW // SECOND - 3_600)
    if old.headers != delivered(sample).headers:  # the vendor signs the time
        with pytest.raises(Refused, match=r"Nothing was kept"):
            received(sample, old)


@each
def test_what_was_cut_off_is_read_in_part_or_quarantined_whole(sample: SweptSample) -> None:
    for body in bodies_cut(sample.post[1]):
        expect_kept_whole(sample, delivered(sample, body=body))


@each
@pytest.mark.parametrize("declared", [True, False])
def test_another_charset_means_the_same(sample: SweptSample, declared: bool) -> None:
    headers, body = in_cyrillic_charset(sample)
    if body == sample.post[1]:
        return
    if declared:
        headers = headers | {"content-type": f"{kind_of(headers['content-type']).media}; charset=windows-1251"}
    facts = received(sample, delivered(sample._replace(post=(headers, body))))
    assert meant(facts, sample.facts, sample.connection) == sample.facts


@pytest.mark.parametrize("name", sorted({sample.connection.connector for sample in SAMPLES}))
def test_in_any_order_they_are_the_same_facts_and_none_is_taken_for_another(name: str) -> None:
    own = [sample for sample in SAMPLES if sample.connection.connector == name]
    forwards = [ids(received(sample, delivered(sample))) for sample in own]
    backwards = [ids(received(sample, delivered(sample))) for sample in reversed(own)]
    assert forwards == backwards[::-1]
    every = [id for found in forwards for id in found]
    assert len(set(every)) == len(every)


def test_every_connector_of_forms_has_samples_of_its_own() -> None:
    of_forms = {name for name, connector in CONNECTORS.items() if connector.family == "forms"} - {"form"}
    assert of_forms - {sample.id.partition("/")[0] for sample in SAMPLES if "." not in sample.id} == set()


def in_cyrillic_charset(sample: SweptSample) -> tuple[dict[str, str], bytes]:
    """The same request as an old site sends it; as it is where its letters are not in windows-1251."""
    headers, body = sample.post
    kind = kind_of(headers.get("content-type", ""))
    try:
        if kind.media == URLENCODED:
            return headers, urlencode(parse_qsl(body.decode(), keep_blank_values=True), encoding="cp1251").encode()
        return headers, body if kind.media == MULTIPART else body.decode().encode("cp1251")
    except UnicodeEncodeError:
        return sample.post


def expect_kept_whole(sample: SweptSample, delivery: Delivery) -> None:
    """Something is kept, with all of its bytes, and no connector stumbled. A token in the body may be lost with it."""
    try:
        facts = received(sample, delivery)
    except Refused:
        assert any(token.encode() in sample.post[1] for token in tokens_of(sample).values())
        return
    assert facts
    assert all(fact.raw.body == delivery.body for fact in facts)
    reasons = [fact.reason for fact in facts if isinstance(fact, DeliveryQuarantined)]
    assert "could not read it" not in "".join(reasons)


def planted(sample: SweptSample, monkeypatch: pytest.MonkeyPatch, **parts: object) -> None:
    connector = CONNECTORS[sample.connection.connector]
    assert connector.webhook
    webhook: Webhook = replace(connector.webhook, **parts)  # type: ignore[arg-type]  # a planted fault
    monkeypatch.setitem(CONNECTORS, connector.name, replace(connector, webhook=webhook))


def signed_sample() -> SweptSample:
    return next(sample for sample in SAMPLES if is_signed(sample))


def test_a_planted_verify_that_lets_all_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = signed_sample()
    planted(sample, monkeypatch, verify=lambda *_: None)
    with pytest.raises(pytest.fail.Exception):
        test_one_bit_changed_is_refused_or_costs_nothing_else(sample)
    with pytest.raises(pytest.fail.Exception):
        test_a_stranger_is_refused(sample)


def test_a_planted_key_made_of_the_clock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = signed_sample()
    parse = CONNECTORS[sample.connection.connector].webhook.parse  # type: ignore[union-attr]  # a planted fault

    def by_the_clock(delivery: Delivery, connection: object) -> Iterator[object]:
        for report in parse(delivery, connection):  # type: ignore[arg-type]  # a planted fault
            yield structs.replace(report, key=f"{report.key}/{delivery.received_at}")

    planted(sample, monkeypatch, parse=by_the_clock)
    with pytest.raises(AssertionError):
        test_twice_is_the_same_facts_and_the_same_answer(sample)


def test_a_planted_name_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = next(one for one in SAMPLES if one.facts and one.facts[0].get("name"))
    read = Connector.read

    def nameless(self: Connector, *about: object) -> list[Fact]:
        facts = read(self, *about)  # type: ignore[arg-type]  # a planted fault
        return [structs.replace(fact, name="") if isinstance(fact, FormSubmitted) else fact for fact in facts]

    monkeypatch.setattr(Connector, "read", nameless)
    with pytest.raises(AssertionError):
        test_it_means_exactly_this(sample)
