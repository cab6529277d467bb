"""Every vendor's own samples: received as its vendor sends them, twice, in any order, changed, stale, cut, recoded."""

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from msgspec.structs import replace

from crm.connector import Delivery, Report, Webhook
from crm.envelope import Fact
from crm.errors import Refused
from crm.facts import DeliveryKept, DeliveryQuarantined
from crm.scalars import Micros
from projections.call import call as call_row
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED
from tests.support.call_samples import Own, own_samples
from tests.support.projection_events import fold
from tests.support.scenarios import given

VENDORS = {own.vendor: own for own in own_samples()}
DAY = 86_400_000_000
each = pytest.mark.parametrize("own", VENDORS.values(), ids=VENDORS)


def received(own: Own, delivery: Delivery) -> list[Fact]:
    return list(CONNECTORS[own.vendor].receive(delivery, own.connection))


def ids(facts: list[Fact]) -> list[str]:
    return [fact.meta.id for fact in facts]


def rows(own: Own, facts: list[Fact]) -> dict[str, Any]:
    """The calls that these facts end in, by the vendor's id."""
    found: list[Any] = [*fold(call_row, given(*facts).decide.journal).values()]
    return {row.call: row for row in found}


def refused(own: Own, delivery: Delivery) -> None:
    with pytest.raises(Refused, match=r"(?i)nothing was kept"):
        received(own, delivery)


def without_error(own: Own, facts: Sequence[Fact]) -> None:
    assert facts
    assert "could not read it" not in "".join(f.reason for f in facts if isinstance(f, DeliveryQuarantined)), own.vendor


@each
def test_the_samples_of_a_call_are_the_calls_that_they_mean_in_any_order(own: Own) -> None:
    facts = list(chain.from_iterable(received(own, own.signed(sample)) for sample in own.bodies.values()))
    assert [fact for fact in facts if isinstance(fact, DeliveryKept | DeliveryQuarantined)] == []
    lots = random.Random(own.vendor)
    for order in (facts, facts[::-1], [*facts, *facts], lots.sample(facts, len(facts)), lots.sample(facts, len(facts))):
        found = rows(own, order)
        said = {
            call: {name: getattr(found[call], name) for name in row} for call, row in own.calls.items() if call in found
        }
        assert (said, list(found.keys() - own.calls.keys())) == (own.calls, [])


@each
def test_twice_is_once_and_no_two_are_one(own: Own) -> None:
    known: dict[str, str] = {}
    for name, sample in own.bodies.items():
        first, second = (
            received(own, replace(own.signed(sample), received_at=at)) for at in (sample.received_at, later(sample))
        )
        assert ids(first) == ids(second), name
        assert not known.keys() & set(ids(first)), (name, known)
        known |= dict.fromkeys(ids(first), name)


def later(sample: Delivery) -> Micros:
    return Micros(sample.received_at + 60_000_000)


def proofs(own: Own, sample: Delivery) -> Iterator[tuple[str, str]]:
    """Yields the names and values of what proves a delivery: headers, and the parameters of its URL as ''."""
    signed = own.signed(sample)
    yield from ((name, value) for name, value in signed.headers.items() if sample.headers.get(name) != value)
    if signed.query != sample.query:
        yield "", signed.query


@each
def test_a_changed_a_missing_and_another_proof_are_refused(own: Own) -> None:
    """The last byte is changed: of HTTP Basic the first ones are the name, which may be any."""
    for sample in own.bodies.values():
        signed = own.signed(sample)
        for name, value in proofs(own, sample):
            place = len(value.rstrip("=")) - 2
            changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
            refused(
                own,
                replace(
                    signed,
                    headers={**signed.headers, name: changed} if name else signed.headers,
                    query=signed.query if name else changed,
                ),
            )
        refused(own, sample)
        refused(own, own.signed(sample, "another secret"))
    off = own._replace(connection=dataclasses.replace(own.connection, secret=""))
    with pytest.raises(Refused, match="it is off"):
        received(off, own.signed(sample))


@each
def test_one_byte_changed_in_the_body_is_refused_where_it_is_signed(own: Own) -> None:
    """A vendor signs the whole body, some fields of it, or nothing: what is signed is what changes the proof."""
    for sample in own.bodies.values():
        signed, body = own.signed(sample), sample.body
        for place in range(0, len(body), 7):
            changed = replace(signed, body=body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
            if list(proofs(own, replace(sample, body=changed.body))) == list(proofs(own, sample)):
                without_error(own, received(own, changed))
            else:
                refused(own, changed)


@each
def test_a_stale_delivery_is_refused_where_its_time_is_signed_and_the_same_facts_elsewhere(own: Own) -> None:
    for sample in own.bodies.values():
        signed = own.signed(sample)
        stale = replace(signed, received_at=Micros(sample.received_at + DAY))
        if list(proofs(own, replace(sample, received_at=stale.received_at))) == list(proofs(own, sample)):
            assert ids(received(own, stale)) == ids(received(own, signed))
        else:
            refused(own, stale)


@each
def test_a_body_that_was_cut_off_is_facts_or_quarantined_whole(own: Own) -> None:
    for sample in own.bodies.values():
        for length in range(0, len(sample.body), 11):
            cut = replace(sample, body=sample.body[:length])
            try:
                facts: list[Any] = [*received(own, own.signed(cut))]
            except Refused:
                continue  # nothing of it can be signed
            without_error(own, facts)
            assert all(fact.raw.body == cut.body for fact in facts)


@each
@pytest.mark.parametrize("charset", ["windows-1251", "utf-16"])
def test_a_body_in_another_charset_is_facts_or_quarantined_whole(own: Own, charset: str) -> None:
    for sample in own.bodies.values():
        try:
            facts = received(own, own.signed(recoded(sample, charset)))
        except Refused:
            continue
        without_error(own, facts)
        if charset == "windows-1251":
            assert [type(fact) for fact in facts] == [type(fact) for fact in received(own, own.signed(sample))]


def recoded(sample: Delivery, charset: str) -> Delivery:
    text = sample.body.decode()
    if sample.content_type == URLENCODED and charset != "utf-16":
        text = urlencode(parse_qsl(text, keep_blank_values=True), encoding=charset)
    headers = {**sample.headers, "content-type": f"{sample.content_type}; charset={charset}"}
    return replace(sample, headers=headers, body=text.encode(charset))


def parses(change: Callable[[Report, Delivery], Report]) -> Callable[[Webhook], Webhook]:
    """A connector that reports something else than it should."""

    def planted(webhook: Webhook) -> Webhook:
        return dataclasses.replace(
            webhook,
            parse=lambda delivery, connection: [change(one, delivery) for one in webhook.parse(delivery, connection)],
        )

    return planted


def without_line(fact: Any) -> Any:
    return partial(fact, line="", direction="")


def stumbles(report: Report, delivery: Delivery) -> Report:
    if not delivery.body.endswith(b"}\n"):
        raise KeyError("a field that is always there")
    return report


@pytest.mark.parametrize(
    ("planted", "test"),
    [
        (
            lambda webhook: dataclasses.replace(webhook, verify=lambda *_: None),
            test_a_changed_a_missing_and_another_proof_are_refused,
        ),
        (
            parses(lambda report, delivery: replace(report, key=f"{report.key}/{delivery.received_at}")),
            test_twice_is_once_and_no_two_are_one,
        ),
        (parses(lambda report, _: replace(report, key="1")), test_twice_is_once_and_no_two_are_one),
        (
            parses(lambda report, _: replace(report, fact=without_line(report.fact))),
            test_the_samples_of_a_call_are_the_calls_that_they_mean_in_any_order,
        ),
        (parses(stumbles), test_a_body_that_was_cut_off_is_facts_or_quarantined_whole),
    ],
)
def test_a_planted_fault_is_found(
    planted: Callable[[Webhook], Webhook], test: Callable[[Own], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, connector = VENDORS["ring"], CONNECTORS["ring"]
    assert connector.webhook
    test(own)
    monkeypatch.setitem(CONNECTORS, "ring", dataclasses.replace(connector, webhook=planted(connector.webhook)))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test(own)
