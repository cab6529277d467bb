"""What can happen to each sample on its way: changed, from a stranger, stale, cut off, in another charset.

Forged is refused and nothing is kept; what is authentic is read or kept whole, and never means another sum.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from msgspec import structs

from crm.connector import Delivery
from crm.envelope import Fact
from crm.errors import Malformed, Refused
from crm.facts import DeliveryKept, DeliveryQuarantined
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import MULTIPART, URLENCODED, kind_of
from tests.support.connector_deliveries import NOW
from tests.support.connector_samples import ConnectorSample, connector_samples, meant
from tests.unit.services.connectors.test_samples import planted

SAMPLES = list(connector_samples())
MONEY = ("status", "amount_minor", "refunded_minor", "fee_minor", "currency", "reference")
DAY = 24 * 3600 * 1_000_000
each = pytest.mark.parametrize("sample", SAMPLES, ids=repr)


def is_signed(sample: ConnectorSample) -> bool:
    return sample.sent() != sample.delivery


def tokens_of(sample: ConnectorSample) -> dict[str, str]:
    """The settings that are secrets: in samples they begin with TEST-."""
    return {name: value for name, value in sample.connection.settings.items() if value.startswith("TEST-")}


def refused(sample: ConnectorSample, delivery: Delivery) -> None:
    with pytest.raises(Refused, match=r"(?i)nothing was kept"):
        sample.received(delivery)


def kept_whole(sample: ConnectorSample, delivery: Delivery) -> list[Fact]:
    """Something is kept, with all of its bytes, and no connector stumbled. A proof in the body may be lost with it."""
    try:
        facts = sample.received(delivery)
    except Refused:
        assert proof_in_body(sample)
        return []
    assert facts
    assert all(fact.raw.body == delivery.body for fact in facts)
    reasons = [fact.reason for fact in facts if isinstance(fact, DeliveryQuarantined)]
    assert "could not read it" not in "".join(reasons)
    return facts


def proof_in_body(sample: ConnectorSample) -> bool:
    tokens = [token.encode() for token in tokens_of(sample).values()]
    return sample.sent().body != sample.delivery.body or any(token in sample.delivery.body for token in tokens)


def is_covered(sample: ConnectorSample, delivery: Delivery) -> bool:
    """Whether the vendor would prove it otherwise."""
    try:
        return sample.signed_again(delivery) != delivery
    except Malformed:  # it signs what is no longer there
        return True


@each
def test_one_bit_changed_is_refused_where_it_is_signed_and_is_no_other_money_elsewhere(sample: ConnectorSample) -> None:
    """A vendor signs the whole body, some values of it, or nothing: what is signed is what changes the proof."""
    whole = sample.sent()
    honest = money_of(sample.received(whole))
    for body in bits_changed(whole.body):
        changed = structs.replace(whole, body=body)
        if is_covered(sample, changed):
            refused(sample, changed)
        else:
            facts = kept_whole(sample, changed)
            if signs(sample) and not any(is_doubted(fact) for fact in facts):
                assert money_of(facts) in ([], honest), body


def signs(sample: ConnectorSample) -> bool:
    return CONNECTORS[sample.vendor].proof.proves == "signature"


def is_doubted(fact: Fact) -> bool:
    return isinstance(fact, DeliveryQuarantined) or bool(getattr(fact, "doubts", ()))


def money_of(facts: list[Fact]) -> list[dict[str, object]]:
    sums = [fact for fact in facts if getattr(fact, "amount_minor", None) is not None]
    return [{name: getattr(fact, name) for name in MONEY if hasattr(fact, name)} for fact in sums]


def bits_changed(body: bytes) -> Iterator[bytes]:
    """The body with one bit changed at up to 48 places."""
    for place in range(0, len(body), max(1, len(body) // 48)):
        yield body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


@each
def test_a_stranger_is_refused(sample: ConnectorSample) -> None:
    others = {**sample.connection.settings, **dict.fromkeys(tokens_of(sample), "another")}
    another = replace(sample.connection, secret=sample.rehearsal.secret_of("another"), settings=others)
    other = sample._replace(connection=another)
    if is_signed(sample):
        refused(sample, sample.sent(seed="another"))
        refused(sample, sample.delivery)
    if tokens_of(sample):
        refused(other, sample.sent())
        if not any(token.encode() in sample.delivery.body for token in tokens_of(sample).values()):
            bare = structs.replace(sample.sent(), query="", headers={"content-type": sample.delivery.content_type})
            refused(sample, bare)
    off = sample._replace(connection=replace(sample.connection, secret=""))
    with pytest.raises(Refused, match=r"it is off"):
        off.received(sample.sent())


@each
def test_a_proof_with_one_sign_changed_is_refused(sample: ConnectorSample) -> None:
    """The proof is where two requests for other secrets differ: each of those places is changed."""
    own, other = sample.sent(), sample.sent(seed="another")
    for name in own.headers:
        if own.headers[name] != other.headers[name]:
            value = one_sign_changed(own.headers[name], other.headers[name])
            refused(sample, structs.replace(own, headers={**own.headers, name: value}))
            refused(sample, structs.replace(own, headers={k: v for k, v in own.headers.items() if k != name}))
    if own.query != other.query:
        refused(sample, structs.replace(own, query=one_sign_changed(own.query, other.query)))


def one_sign_changed(value: str, other: str) -> str:
    place = next(i for i, pair in enumerate(zip(value, other, strict=False)) if len({*pair}) == 2)
    return value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]


@each
def test_a_stale_one_is_refused_where_its_time_is_signed(sample: ConnectorSample) -> None:
    if sample.sent() != sample.sent():
        return  # no two signatures of this vendor are equal, and none has a time
    for moment in (NOW - 30 * DAY, NOW + 30 * DAY):
        stale = sample.sent(NOW, signed_at=moment)
        if stale != sample.sent():
            refused(sample, stale)


@each
def test_what_was_cut_off_is_refused_or_kept_whole(sample: ConnectorSample) -> None:
    for body in [*bodies_cut(sample.delivery.body)][1:]:  # cut by the vendor, and signed so
        try:
            cut = sample.sent(body=body)
        except Malformed:
            continue  # a vendor that signs fields cannot sign what has none
        kept_whole(sample, cut)
    whole = sample.sent()
    for body in bodies_cut(whole.body):  # cut on the way
        cut = structs.replace(whole, body=body)
        if is_covered(sample, cut):
            refused(sample, cut)
        else:
            kept_whole(sample, cut)


def bodies_cut(body: bytes) -> Iterator[bytes]:
    """The body cut off at up to 24 places."""
    for length in range(0, len(body.rstrip()), max(1, len(body) // 24)):
        yield body[:length]


@each
@pytest.mark.parametrize("declared", [True, False])
def test_another_charset_means_the_same(sample: ConnectorSample, declared: bool) -> None:
    recoded = in_cyrillic_charset(sample.delivery)
    if recoded == sample.delivery.body:
        return
    content_type = sample.delivery.content_type
    if declared:
        content_type = f"{kind_of(content_type).media}; charset=windows-1251"
    delivery = structs.replace(
        sample.delivery, headers={**sample.delivery.headers, "content-type": content_type}, body=recoded
    )
    try:
        facts = sample.received(structs.replace(sample.signed_again(delivery), received_at=NOW))
    except Refused:
        return  # what it signs is read as UTF-8
    assert sample.facts is not None
    if not any(isinstance(fact, DeliveryQuarantined | DeliveryKept) for fact in facts):  # known by their bytes
        assert meant(facts, sample.facts, sample.connection) == sample.facts


def in_cyrillic_charset(delivery: Delivery) -> bytes:
    """The same body as an old site sends it; as it is where its letters are not in windows-1251."""
    kind = kind_of(delivery.content_type)
    try:
        if kind.media == URLENCODED:
            return urlencode(parse_qsl(delivery.body.decode(), keep_blank_values=True), encoding="cp1251").encode()
        return delivery.body if kind.media == MULTIPART else delivery.body.decode().encode("cp1251")
    except UnicodeEncodeError:
        return delivery.body


def signed_sample() -> ConnectorSample:
    return next(sample for sample in SAMPLES if is_signed(sample) and signs(sample))


def test_a_planted_verify_that_lets_all_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = signed_sample()
    planted(sample, monkeypatch, verify=lambda *_: None)
    for test in (
        test_one_bit_changed_is_refused_where_it_is_signed_and_is_no_other_money_elsewhere,
        test_a_stranger_is_refused,
        test_a_proof_with_one_sign_changed_is_refused,
        test_what_was_cut_off_is_refused_or_kept_whole,
    ):
        with pytest.raises(pytest.fail.Exception):
            test(sample)


def test_a_planted_parse_that_stumbles_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = next(sample for sample in SAMPLES if not is_signed(sample))

    def stumbling(delivery: Delivery, _connection: object) -> Iterator[object]:
        if delivery.body != sample.delivery.body:
            raise KeyError("a field that is always there")
        yield from ()

    planted(sample, monkeypatch, parse=stumbling)
    with pytest.raises(AssertionError):
        test_what_was_cut_off_is_refused_or_kept_whole(sample)
