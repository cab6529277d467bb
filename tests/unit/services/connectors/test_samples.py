"""Each sample of each connector means exactly what stands next to it: once, twice, a day later and in any order.

A new vendor writes no test: its samples, its declaration and its rehearse.py are enough.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from crm.connector import Connector, Delivery, Webhook
from crm.envelope import Fact
from crm.facts import DeliveryQuarantined, FormSubmitted
from crm.state import Payment
from projections.call import call as call_row
from services.connectors import CONNECTORS
from tests.support.connector_deliveries import NOW
from tests.support.connector_samples import ConnectorSample, calls_meant, captured_samples, connector_samples, meant
from tests.support.needs import needs_samples
from tests.support.projection_events import fold
from tests.support.scenarios import given

SAMPLES = list(connector_samples())
VENDORS = sorted({sample.vendor for sample in SAMPLES})
CALLS = calls_meant()
SECOND = 1_000_000
each = pytest.mark.parametrize("sample", SAMPLES, ids=repr)


def ids(facts: list[Fact]) -> list[str]:
    return [fact.meta.id for fact in facts]


def webhook_of(vendor: str) -> Webhook:
    webhook = CONNECTORS[vendor].webhook
    assert webhook
    return webhook


@each
def test_it_means_exactly_this(sample: ConnectorSample) -> None:
    assert sample.facts is not None
    assert meant(sample.received(sample.sent()), sample.facts, sample.connection) == sample.facts


@each
def test_twice_is_the_same_facts_and_the_same_answer(sample: ConnectorSample) -> None:
    first, second = sample.sent(), sample.sent(NOW + 60 * SECOND)
    once, again = sample.received(first), sample.received(second)
    assert ids(once) == ids(again)
    answers = [webhook_of(sample.vendor).answer(first, sample.connection, facts) for facts in (once, again)]
    assert answers[0] == answers[1]
    assert answers[0].status == 200


@each
def test_one_with_an_id_of_its_vendor_is_the_same_a_day_later(sample: ConnectorSample) -> None:
    if sample.facts and all("key" in fact for fact in sample.facts):
        assert ids(sample.received(sample.sent(NOW + 86_400 * SECOND))) == ids(sample.received(sample.sent()))


@pytest.mark.parametrize("vendor", VENDORS)
def test_in_any_order_they_are_the_same_facts_and_none_is_taken_for_another(vendor: str) -> None:
    own = of_vendor(vendor)
    forwards = [ids(sample.received(sample.sent())) for sample in own]
    backwards = [ids(sample.received(sample.sent())) for sample in reversed(own)]
    assert forwards == backwards[::-1]
    every = [id for found in forwards for id in found]
    assert len(set(every)) == len(every)


def of_vendor(vendor: str) -> list[ConnectorSample]:
    return [sample for sample in SAMPLES if sample.vendor == vendor]


def facts_of(vendor: str) -> list[Fact]:
    return [fact for sample in of_vendor(vendor) for fact in sample.received(sample.sent())]


def any_order(facts: list[Fact]) -> Iterator[list[Fact]]:
    """As they came, backwards, each twice, and shuffled."""
    yield from (facts, facts[::-1], [*facts, *facts])
    for seed in range(3):
        shuffled = random.Random(seed).sample(facts, len(facts))
        yield [*shuffled, *facts] if seed else shuffled


@pytest.mark.parametrize("vendor", VENDORS)
def test_payments_come_to_the_same_in_any_order(vendor: str) -> None:
    """A state that goes back in time undoes no later one. The samples of a vendor are mostly about one payment."""
    facts = facts_of(vendor)
    expected = stands(facts)
    if expected:
        assert [stands(order) for order in any_order(facts)] == [expected] * 6


def stands(facts: list[Fact]) -> dict[str, tuple[object, ...]]:
    """Where each payment stands once these facts were decided."""
    things = given().when(*facts).state.things.values()
    payments = [thing for thing in things if isinstance(thing, Payment)]
    return {
        one.payment_id: (one.status, one.amount_minor, one.refunded_minor, one.currency, one.changed_at)
        for one in payments
    }


@pytest.mark.parametrize("vendor", CALLS)
def test_calls_come_to_what_is_expected_of_them_in_any_order(vendor: str) -> None:
    expected = CALLS[vendor]
    for order in any_order(facts_of(vendor)):
        found = rows(order)
        said = {
            call: {name: getattr(found[call], name) for name in row} for call, row in expected.items() if call in found
        }
        assert (said, list(found.keys() - expected.keys())) == (expected, [])


def rows(facts: list[Fact]) -> dict[str, Any]:
    """The calls that these facts end in, by the vendor's id."""
    found: list[Any] = [*fold(call_row, given(*facts).decide.journal).values()]
    return {row.call: row for row in found}


@needs_samples
def test_every_captured_sample_is_received_twice_and_understood() -> None:
    found = list(captured_samples())
    for sample in found:
        first, second = (sample.received(sample.sent()) for _ in range(2))
        assert ids(first) == ids(second), sample
        assert [fact.reason for fact in first if isinstance(fact, DeliveryQuarantined)] == [], sample
    print(f"{len(found)} captured samples of {len({sample.vendor for sample in found})} vendors were received twice")


def test_every_connector_that_receives_has_samples_of_its_own() -> None:
    receiving = {name for name, connector in CONNECTORS.items() if connector.webhook}
    assert receiving - {sample.id.partition("/")[0] for sample in SAMPLES} == set()


def planted(sample: ConnectorSample, monkeypatch: pytest.MonkeyPatch, **parts: object) -> None:
    connector = CONNECTORS[sample.vendor]
    webhook: Webhook = replace(webhook_of(sample.vendor), **parts)  # type: ignore[arg-type]  # a planted fault
    monkeypatch.setitem(CONNECTORS, connector.name, replace(connector, webhook=webhook))


def reporting(change: Callable[[Any, Delivery], Any], sample: ConnectorSample) -> Callable[..., Iterator[object]]:
    """A parse that reports something else than it should."""
    parse = webhook_of(sample.vendor).parse

    def wrong(delivery: Delivery, connection: object) -> Iterator[object]:
        for report in parse(delivery, connection):  # type: ignore[arg-type]  # a planted fault
            yield change(report, delivery)

    return wrong


def test_a_planted_key_made_of_the_clock_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = of_vendor("ring")[0]
    by_the_clock = reporting(lambda report, at: structs.replace(report, key=f"{report.key}/{at.received_at}"), sample)
    planted(sample, monkeypatch, parse=by_the_clock)
    with pytest.raises(AssertionError):
        test_twice_is_the_same_facts_and_the_same_answer(sample)


def test_a_planted_key_that_two_share_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = of_vendor("ring")[0]
    planted(sample, monkeypatch, parse=reporting(lambda report, _: structs.replace(report, key="1"), sample))
    with pytest.raises(AssertionError):
        test_in_any_order_they_are_the_same_facts_and_none_is_taken_for_another("ring")


def test_a_planted_name_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = next(one for one in SAMPLES if one.facts and one.facts[0].get("name"))
    read = Connector.read

    def nameless(self: Connector, *about: object) -> list[Fact]:
        facts = read(self, *about)  # type: ignore[arg-type]  # a planted fault
        return [structs.replace(fact, name="") if isinstance(fact, FormSubmitted) else fact for fact in facts]

    monkeypatch.setattr(Connector, "read", nameless)
    with pytest.raises(AssertionError):
        test_it_means_exactly_this(sample)


def test_a_planted_wrong_meaning_is_found() -> None:
    """Another value in the last field of each fact."""
    for vendor in VENDORS:
        sample = of_vendor(vendor)[0]
        wrong = [{**one, [*one][-1]: "planted"} for one in json.loads(json.dumps(sample.facts))]
        assert meant(sample.received(sample.sent()), wrong, sample.connection) != wrong


def test_a_planted_line_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = of_vendor("ring")[0]

    def lineless(report: Any, _delivery: Delivery) -> Any:
        return structs.replace(report, fact=lambda *about: structs.replace(report.fact(*about), line="", direction=""))

    planted(sample, monkeypatch, parse=reporting(lineless, sample))
    with pytest.raises(AssertionError):
        test_calls_come_to_what_is_expected_of_them_in_any_order("ring")
