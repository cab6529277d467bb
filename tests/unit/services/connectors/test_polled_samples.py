"""Every page of a vendor that is asked: whole, twice, kept and read again, cut, and with bytes changed."""

import json

import pytest
from msgspec.structs import replace

from crm.connector import POLLED, delivery_of
from crm.connector_poll import PollFailed
from crm.facts import DeliveryQuarantined
from services.connectors import CONNECTORS
from services.intake.records import record_of
from tests.support.connector_samples import meant
from tests.support.polled_samples import PolledSample, polled_samples, read

SAMPLES = list(polled_samples())
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=repr)


def test_every_vendor_that_is_polled_has_a_page_that_says_something() -> None:
    polled = {name for name, connector in CONNECTORS.items() if connector.poll}
    assert {sample.connection.connector for sample in SAMPLES if sample.facts} == polled


@each_sample
def test_it_means_what_is_written_next_to_it(sample: PolledSample) -> None:
    facts = read(sample, sample.page)
    said = meant(facts, sample.facts, sample.connection)
    assert said == sample.facts, json.dumps(said, ensure_ascii=False, indent=1)
    assert read(sample, sample.page) == facts
    for fact in facts:
        assert record_of(fact, sample.connector.family).value


@each_sample
def test_what_was_kept_of_it_reads_as_the_same_facts(sample: PolledSample) -> None:
    for fact in read(sample, sample.page):
        again = delivery_of(fact.raw, fact.meta.recorded_at)  # type: ignore[attr-defined]  # those of polls have it
        assert again.method == POLLED
        assert fact.meta.id in [each.meta.id for each in sample.connector.read(again, sample.connection)]


@each_sample
def test_a_page_that_is_cut_is_polled_for_again_or_loses_nothing_that_it_still_has(sample: PolledSample) -> None:
    whole = sample.page.body.rstrip()
    for body in (whole[: len(whole) * part // 17] for part in range(17)):
        with pytest.raises(PollFailed):
            read(sample, replace(sample.page, body=body))


@each_sample
def test_a_page_with_a_byte_changed_is_read_quarantined_or_polled_for_again(sample: PolledSample) -> None:
    whole = sample.page.body
    for place in range(0, len(whole), max(1, len(whole) // 48)):
        body = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        try:
            facts = read(sample, replace(sample.page, body=body))
        except PollFailed:
            continue
        for fact in facts:
            assert not (isinstance(fact, DeliveryQuarantined) and "could not read it" in fact.reason), fact.reason
