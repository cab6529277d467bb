"""Samples of every vendor: exactly the facts next to them, a repeat changes nothing, any tampering is refused."""

import random
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from crm.connector import digest
from crm.envelope import Fact
from crm.errors import Refused
from crm.facts import DeliveryQuarantined
from crm.state import Payment
from services.connectors import CONNECTORS
from services.connectors.rehearsal import Post
from tests.support.connector_deliveries import NOW, delivery, receive
from tests.support.own_samples import EXPECTED, OwnSample, captured_samples, own_samples, said_in, signing_vendors
from tests.support.scenarios import SHOP, given
from tests.support.vendor_samples import needs_samples

DAY = 24 * 3600 * 1_000_000

each = pytest.mark.parametrize("sample", [pytest.param(found, id=found.name) for found in own_samples()])


def outcome(sample: OwnSample, post: Post, at: int = NOW) -> list[Fact] | None:
    """The facts; None when it is refused."""
    try:
        return receive(sample.connection, post, at)
    except Refused as refusal:
        assert "othing was kept" in str(refusal)
        return None


def meanings(facts: list[Fact]) -> list[tuple[str, str]]:
    return sorted((fact.meta.id, repr(msgspec.structs.replace(fact, raw=fact.raw))) for fact in facts)


def wrong(sample: OwnSample, expected: list[dict[str, object]]) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Each pair of what was expected and said that differ."""
    facts = receive(sample.connection, sample.post())
    assert len(facts) == len(expected), [type(fact).__name__ for fact in facts]
    pairs = [(want, said_in(fact, list(want))) for want, fact in zip(expected, facts, strict=True)]
    return [(want, got) for want, got in pairs if want != got]


@each
def test_it_means_what_stands_next_to_it(sample: OwnSample) -> None:
    assert sample.expected is not None
    assert wrong(sample, sample.expected) == []


def test_a_wrong_meaning_is_found() -> None:
    """A planted bug: another value in the last field."""
    sample = next(own for own in own_samples() if own.expected)
    assert sample.expected
    planted = [{**one, [*one][-1]: "planted"} for one in sample.expected]
    assert len(wrong(sample, planted)) == len(planted)


@each
def test_twice_is_once_and_the_answer_is_the_same(sample: OwnSample) -> None:
    post, who, webhook = sample.post(), sample.connection, CONNECTORS[sample.vendor].webhook
    assert webhook
    first, second = receive(who, post), receive(who, post)
    assert meanings(first) == meanings(second)
    answers = {webhook.answer(delivery(post), who, facts) for facts in (first, second)}
    assert len(answers) == 1
    assert answers.pop().status == 200


@each
def test_a_retry_an_hour_later_is_the_same_facts(sample: OwnSample) -> None:
    """Vendors sign a retry again; what it is about stays the same."""
    hour = NOW + 3600 * 1_000_000
    first = {fact.meta.id for fact in receive(sample.connection, sample.post())}
    assert {fact.meta.id for fact in receive(sample.connection, sample.post(at=hour), hour)} == first


def changed_bytes(body: bytes) -> Iterator[bytes]:
    """One byte changed at a time, all over the body."""
    for place in range(0, len(body), max(1, len(body) // 200)):
        yield body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


@each
def test_no_changed_byte_changes_money(sample: OwnSample) -> None:
    """Refused; where the vendor signs values without their names, or some values only, the same payment to the kopeck,
    quarantined, or with a sentence of doubt."""
    headers, body = sample.post()
    honest = money_of(receive(sample.connection, (headers, body)))
    for changed in changed_bytes(body):
        facts = outcome(sample, (headers, changed))
        if facts is not None and not any(isinstance(f, DeliveryQuarantined) or getattr(f, "doubts", ()) for f in facts):
            assert money_of(facts) == honest, changed


def money_of(facts: list[Fact]) -> list[dict[str, object]]:
    sums = [fact for fact in facts if getattr(fact, "amount_minor", None) is not None]
    return [said_in(fact, [name for name in MONEY if name in type(fact).__struct_fields__]) for fact in sums]


MONEY = ("status", "amount_minor", "refunded_minor", "currency", "reference")


@each
def test_one_sign_of_the_signature_changed_is_refused(sample: OwnSample) -> None:
    """The proof is where two requests for other secrets differ: each of those places is changed."""
    headers, body = sample.post()
    assert sample.rehearsal.sign
    other_headers, other = sample.rehearsal.sign("another", sample.body, NOW)
    names = [name for name in headers if headers[name] != other_headers[name]]
    for name in names:
        assert outcome(sample, (headers | {name: other_headers[name]}, body)) is None
        place = next(
            i for i, pair in enumerate(zip(headers[name], other_headers[name], strict=False)) if len({*pair}) == 2
        )
        value = headers[name]
        swapped = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert outcome(sample, (headers | {name: swapped}, body)) is None
        assert outcome(sample, ({key: value for key, value in headers.items() if key != name}, body)) is None
    if body != other:
        assert outcome(sample, (headers, other)) is None
    unsigned = CONNECTORS[sample.vendor].proof.proves == "address" and not sample.signs_body
    assert names or body != other or unsigned, "nothing is signed"


@pytest.mark.parametrize("vendor", [name for name in signing_vendors() if CONNECTORS[name].proof.proves == "signature"])
def test_a_stale_signature_is_refused_where_its_time_is_signed(vendor: str) -> None:
    sample = next(own for own in own_samples() if own.vendor == vendor)
    late = outcome(sample, sample.post(), NOW + 30 * DAY)
    early = outcome(sample, sample.post(), NOW - 30 * DAY)
    assert (late is None, early is None) == (sample.rehearsal.signs_time,) * 2


@each
def test_a_truncated_body_is_refused_or_kept_whole(sample: OwnSample) -> None:
    headers, body = sample.post()
    for length in range(0, len(body.rstrip()), max(1, len(body) // 50)):
        cut = outcome(sample, (headers, body[:length]))
        assert cut is None if sample.signs_body else cut and isinstance(cut[0], DeliveryQuarantined)
    for length in range(0, len(sample.body.rstrip()), max(1, len(sample.body) // 50)):
        try:
            post = sample.post(sample.body[:length])
        except Exception:  # a vendor that signs fields cannot sign what is no JSON
            continue
        facts = outcome(sample, post)
        if facts is not None:
            (fact,) = facts
            assert isinstance(fact, DeliveryQuarantined)
            assert digest(fact.raw.body) == digest(post[1])


@each
@pytest.mark.parametrize("charset", ["cp1251", "utf-16", "utf-8-sig"])
def test_another_charset_is_read_or_refused_or_quarantined(sample: OwnSample, charset: str) -> None:
    """Never an error, and never another payment."""
    text = sample.body.decode()
    body = text.encode(charset, "replace" if charset == "cp1251" else "strict")
    honest = subjects(receive(sample.connection, sample.post()))
    facts = outcome(sample, sample.post(body))
    assert facts is None or isinstance(facts[0], DeliveryQuarantined) or subjects(facts) == honest


def subjects(facts: list[Fact]) -> list[object]:
    """What each fact is about. An id may be of the text, which a charset may not have all letters of."""
    names = ("chat", "message", "kind", "status", "up_to", "call", "phase", "key", "reason", "payment")
    found = [[name for name in names if name in type(fact).__struct_fields__] for fact in facts]
    return [said_in(fact, about) if about else fact.meta.id for fact, about in zip(facts, found, strict=True)]


def stands(facts: list[Fact]) -> dict[str, tuple[object, ...]]:
    """Where each payment stands once these facts were decided."""
    state = given().when(*facts).state
    payments = [thing for thing in state.things.values() if isinstance(thing, Payment)]
    return {
        one.payment_id: (one.status, one.amount_minor, one.refunded_minor, one.currency, one.changed_at)
        for one in payments
    }


@pytest.mark.parametrize("vendor", signing_vendors())
def test_payments_end_the_same_in_any_order_of_deliveries(vendor: str) -> None:
    """A state that goes back in time undoes no later one. The samples of a vendor are mostly about one payment."""
    facts: list[Fact] = []
    for sample in own_samples():
        if sample.vendor == vendor:
            of_the_shop = replace(sample.connection, workspace=SHOP)
            facts += receive(of_the_shop, sample.post())
    expected = stands(facts)
    for seed in range(5):
        shuffled = random.Random(seed).sample(facts, len(facts))
        assert stands(shuffled) == expected
        assert stands([*shuffled, *facts]) == expected  # each once more


def test_no_two_samples_are_taken_for_one_another() -> None:
    seen: dict[tuple[str, str], str] = {}
    for sample in own_samples():
        for fact in receive(sample.connection, sample.post()):
            assert seen.setdefault((sample.vendor, fact.meta.id), sample.name) == sample.name


@needs_samples
def test_every_captured_sample_is_received_twice() -> None:
    found = list(captured_samples())
    for sample in found:
        first, second = (receive(sample.connection, sample.post()) for _ in range(2))
        assert first, sample.name
        assert meanings(first) == meanings(second), sample.name
        quarantined = [fact.reason for fact in first if isinstance(fact, DeliveryQuarantined)]
        assert quarantined == [], sample.name
    print(f"{len(found)} captured samples of {len(signing_vendors())} vendors were received twice")


def test_each_vendor_that_signs_has_samples_and_each_meaning_a_sample() -> None:
    for vendor in signing_vendors():
        assert [sample for sample in own_samples() if sample.vendor == vendor] != []
    assert EXPECTED == ".expected.json"
