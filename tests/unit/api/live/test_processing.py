"""How far the roles are, of what Postgres and Kafka say at one moment."""

from api.live.processing import Found, Look, Place, Progress, progress, rate
from crm.topics import JOURNAL
from projections import PROJECTIONS

FORMS = "crm.intake.forms"
DECIDE = Place("decide", "decide", FORMS, 0)
RELAY = Place("relay", "relay", JOURNAL.name, 0)
DEAL = PROJECTIONS["deal"].table


def found(**changes: object) -> Found:
    given = {"heads": {0: 10}, "outbox": {}, "leads": True, "checkpoints": []} | changes
    return Found(**given)  # type: ignore[arg-type]  # a table


def test_every_role_has_its_place_in_the_order_of_the_flow() -> None:
    checkpoints = [
        (DEAL, JOURNAL.name, 0, 12, 6, False),  # it read to position 6; records may be there twice
        ("decide", FORMS, 0, 3, -1, False),
        ("outbound_v1", JOURNAL.name, 0, 12, 9, True),
    ]
    at = progress(found(outbox={0: 2}, checkpoints=checkpoints), {(FORMS, 0): 5})
    assert at == {
        Place("intake", "intake", FORMS, 0): Progress(5, 5),
        DECIDE: Progress(3, 5),
        RELAY: Progress(8, 10),
        Place("project", "deal", JOURNAL.name, 0): Progress(7, 10),
        Place("outbound", "outbound", JOURNAL.name, 0): Progress(10, 10, True),
    }
    assert [place.role for place in at] == ["intake", "decide", "relay", "project", "outbound"]
    assert [one.lag for one in at.values()] == [0, 2, 2, 3, 0]


def test_a_topic_that_kafka_does_not_name_is_left_out() -> None:
    assert progress(found(heads={}, checkpoints=[("decide", "crm.intake.gone", 0, 3, -1, False)]), {}) == {}


def test_a_rate_is_the_difference_of_two_looks() -> None:
    before = Look(100.0, True, {DECIDE: Progress(3, 5)})
    now = Look(104.0, True, {DECIDE: Progress(13, 20), RELAY: Progress(1, 1)})
    assert rate(now, before, DECIDE) == 2.5
    assert rate(now, before, RELAY) is None, "it was not there before"
    assert rate(before, before, DECIDE) is None, "one look has no rate"


def test_what_was_read_again_from_its_beginning_has_no_negative_rate() -> None:
    before, now = Look(100.0, True, {DECIDE: Progress(9, 9)}), Look(110.0, True, {DECIDE: Progress(0, 9)})
    assert rate(now, before, DECIDE) == 0.0
