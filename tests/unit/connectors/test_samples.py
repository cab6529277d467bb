"""Every sample of the vendors is received as its vendor would send it, twice, and has exactly one effect."""

from crm.facts import DeliveryQuarantined
from crm.scalars import Micros
from tests.unit.connectors.samples import Sample, needs_samples, sample, samples
from tests.unit.connectors.stage import NOW, only, receive

# WPForms signs the time of its one sample.
SIGNED_AT = {"wpforms/json.http.txt": Micros(1_791_158_447_000_000)}


def told_by(found: Sample) -> list[object]:
    return list(receive(found.connection, found.post, SIGNED_AT.get(found.name, NOW)))


@needs_samples
def test_every_sample_is_understood_and_twice_is_once() -> None:
    found = list(samples())
    for one in found:
        first, second = told_by(one), told_by(one)
        assert [fact.meta.id for fact in first] == [fact.meta.id for fact in second], one.name  # type: ignore[attr-defined]
        assert [fact for fact in first if isinstance(fact, DeliveryQuarantined)] == [], one.name
        assert first, one.name
    print(f"{len(found)} samples of {len({one.name.split('/')[0] for one in found})} vendors were received twice")
    assert len(found) >= 36


@needs_samples
def test_no_two_samples_are_taken_for_one_another() -> None:
    ids = [(fact.meta.id, one.name) for one in samples() for fact in told_by(one)]  # type: ignore[attr-defined]
    # One call is saved twice: as it came, and decoded.
    assert len({id for id, name in ids if "decoded" not in name or "binotel" not in name}) == len(ids) - 1
