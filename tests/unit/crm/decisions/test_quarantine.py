"""What lies in quarantine is taken up again or discarded: each in the journal, each once, whatever comes twice."""

from msgspec.structs import replace

from crm.contract.codec import encode
from crm.decisions.delivery import NOBODY, set_aside
from crm.envelope import Fact, named_id
from crm.events import ContactCreated, DealChanged, DealOpened, FactQuarantined, QuarantineAttempted, QuarantineSettled
from crm.facts import DeliveryDiscarded, DeliveryQuarantined, DeliveryReparsed, FactRetried
from crm.scalars import Id
from crm.shared import Meta
from crm.state import Quarantined
from tests.support.scenarios import NOON, RAW, SHOP, Story, an, deal_report, form, given, meta, paid, shop

PHONE = "+380671234567"
BAD = DeliveryQuarantined(meta("bad"), RAW, "form", "no JSON")
QID = BAD.meta.id


def by_hand(attempt: int, qid: Id = QID, workspace: Id = SHOP) -> Meta:
    id = named_id(qid, f"attempt/{attempt}")
    return Meta(id, workspace, qid, NOON, NOON, "connection", id, actor="anna")


def reparsed(attempt: int, reason: str = "") -> DeliveryReparsed:
    return DeliveryReparsed(by_hand(attempt), QID, 0 if reason else 1, reason)


def discarded(reason: str = "spam") -> DeliveryDiscarded:
    return DeliveryDiscarded(replace(by_hand(0), id=named_id(QID, "discard/0")), QID, reason)


def retried(fact: Fact, attempt: int = 1) -> FactRetried:
    return FactRetried(by_hand(attempt, fact.meta.id), fact.meta.id, encode(fact))


def entry(story: Story, qid: Id = QID) -> Quarantined | None:
    return story.state.get(Quarantined, qid)


def stumbled(fact: Fact) -> Story:
    """A shop that came into being after this fact, which was quarantined for want of one."""
    story = Story(*shop(workspace=NOBODY))
    story.when(fact).then(an(FactQuarantined, quarantine_id=fact.meta.id))
    story.decide.append(*shop())
    return story


def test_what_fails_again_has_its_new_reason_and_one_attempt_more() -> None:
    story = given().when(BAD).then(an(FactQuarantined, quarantine_id=QID, reason="no JSON"))
    assert entry(story) == Quarantined()
    for attempt in (1, 2):
        story.when(reparsed(attempt, "no name")).then(
            an(QuarantineAttempted, quarantine_id=QID, attempts=attempt, reason="no name")
        )
    assert entry(story) == Quarantined(attempts=2)
    assert [event.meta.actor for event in story.events] == ["anna"]


def test_what_was_understood_is_released_in_the_stream_of_the_entry() -> None:
    story = given().when(BAD, reparsed(1)).then(an(QuarantineSettled, status="released", attempts=1))
    assert entry(story) == Quarantined(1, "released")
    assert {event.meta.stream for event in story.decide.journal if event.meta.cause != meta("workspace").cause} == {QID}


def test_the_same_attempt_twice_is_one() -> None:
    """Two operators run it at once: both send the attempt under one id."""
    story = given().when(BAD, reparsed(1))
    assert story.when(reparsed(1, "an older version says no")).events == []


def test_what_is_settled_stays_as_it_is() -> None:
    before = "It was discarded before. Nothing was changed."
    story = given().when(BAD, discarded()).then(an(QuarantineSettled, status="discarded", attempts=0, reason="spam"))
    story.when(reparsed(1)).then(an(QuarantineAttempted, reason=before))
    assert entry(story) == Quarantined(0, "discarded")


def test_a_discard_that_comes_too_late_changes_nothing() -> None:
    story = given().when(BAD, reparsed(1), discarded())
    story.then(an(QuarantineAttempted, reason="It was released before. Nothing was changed."))
    assert entry(story) == Quarantined(1, "released")


def test_a_fact_that_stumbled_is_decided_under_the_attempts_id() -> None:
    fact = form("1", phones=[PHONE], name="Olena")
    story = stumbled(fact).when(retried(fact))
    assert (type(story.events[0]), type(story.events[-1])) == (ContactCreated, QuarantineSettled)
    assert {event.meta.cause for event in story.events} == {named_id(fact.meta.id, "attempt/1")}
    assert len({event.meta.id for event in story.events}) == len(story.events)
    assert story.every(DealOpened)[0].meta.actor == "test"  # the source of the fact; the operator settled it
    assert story.events[-1].meta.actor == "anna"
    assert entry(story, fact.meta.id) == Quarantined(1, "released")


def test_a_report_that_waited_in_quarantine_is_as_old_as_it_was() -> None:
    older, newer = deal_report("1", 1, title="a", reference="R-1"), deal_report("2", 2, title="b")
    story = stumbled(older).when(newer, retried(older))
    story.then(an(DealChanged, title=None, reference="R-1"), an(QuarantineSettled))


def test_a_second_retry_of_a_released_fact_decides_nothing() -> None:
    fact = form("1", phones=[PHONE])
    story = stumbled(fact).when(retried(fact), retried(fact, attempt=2))
    story.then(an(QuarantineAttempted, reason="It was released before. Nothing was changed."))
    assert len(story.every(DealOpened)) == 1


def test_a_fact_that_is_refused_again_stays_with_its_new_reason() -> None:
    fact = paid("1", 10**18)
    story = given().when(fact).then(an(FactQuarantined)).when(retried(fact))
    reason = f"no payment is of {10**18}: the sum cannot be true"
    story.then(an(QuarantineAttempted, quarantine_id=fact.meta.id, attempts=1, reason=reason))
    assert [type(event) for event in story.decide.journal[-2:]] == [FactQuarantined, QuarantineAttempted]


def test_what_is_no_fact_is_not_retried() -> None:
    odd: list[tuple[bytes, str]] = [
        (b"?", "the record is not framed: it must begin with a zero byte and a schema id"),
        (encode(shop()[0]), "WorkspaceCreated is no fact that can be decided once more"),
        (encode(retried(form("1"))), "FactRetried is no fact that can be decided once more"),
    ]
    for value, reason in odd:
        story = given().when(BAD).when(FactRetried(by_hand(1), QID, value))
        story.then(an(QuarantineAttempted, reason=reason))


def test_a_retry_cannot_reach_into_another_workspace() -> None:
    other = Id("99999999-9999-4999-8999-999999999999")
    fact = form("1", phones=[PHONE])
    foreign = replace(fact, meta=replace(fact.meta, workspace=other))
    story = stumbled(fact).when(FactRetried(by_hand(1, fact.meta.id), fact.meta.id, encode(foreign)))
    assert {event.meta.workspace for event in story.events} == {SHOP}


def test_a_delivery_of_nobody_keeps_its_own_reason() -> None:
    """Every unreadable record once said "There is no workspace 0000…": what was wrong with it was lost."""
    lost = DeliveryQuarantined(meta("lost", workspace=NOBODY), RAW, "kafka", "schema id 99 is not in the registry")
    settle = DeliveryReparsed(by_hand(1, lost.meta.id, NOBODY), lost.meta.id, 1)
    story = given().when(lost).then(an(FactQuarantined, reason="schema id 99 is not in the registry"))
    story.when(settle).then(an(QuarantineSettled, status="released"))


def test_a_retry_whose_rule_stumbles_stays_what_it_was() -> None:
    """Set aside as a new delivery, it would lie in quarantine twice."""
    retry = retried(form("1"))
    again = set_aside(retry, "the rule for it failed")
    assert again == DeliveryReparsed(retry.meta, retry.quarantine_id, 0, "the rule for it failed")
    other = set_aside(form("1"), "the rule for it failed")
    assert isinstance(other, DeliveryQuarantined)
    assert (other.connector, other.raw.body) == ("FormSubmitted", encode(form("1")))
