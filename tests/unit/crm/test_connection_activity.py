"""What a person makes of what came to a connection."""

from typing import Any

import pytest

from crm.connection_activity import DAY, HOUR, NOTHING, QUIET, Activity, State, activity_of, advice, judged, state_of
from crm.connector_catalogue import catalogue
from crm.facts import ConnectionActive, ConnectionPolled
from crm.scalars import Micros
from crm.shared import ActivityHour
from tests.support.intake_server import OPEN, meta

OLX = catalogue()["olx"]
NOW = Micros(1_760_000_400_000_000)
THIS_HOUR = Micros(NOW - NOW % HOUR)


def ago(span: int) -> Micros:
    return Micros(NOW - span)


@pytest.mark.parametrize(
    ("activity", "state"),
    [
        (NOTHING, "never delivered"),
        (Activity(refused_at=ago(DAY)), "never delivered"),
        (Activity(refused_at=ago(DAY - 1)), "failing"),
        (Activity(taken_at=ago(1)), "connected"),
        (Activity(taken_at=ago(QUIET - 1)), "connected"),
        (Activity(taken_at=ago(QUIET)), "quiet"),
        (Activity(taken_at=ago(2), refused_at=ago(1)), "failing"),
        (Activity(taken_at=ago(1), refused_at=ago(2), quarantined_at=ago(3), failed_at=ago(4)), "connected"),
        (Activity(taken_at=ago(9), quarantined_at=ago(3)), "failing"),
        (Activity(quarantined_at=ago(DAY)), "connected"),
        (Activity(failed_at=ago(3)), "failing"),
    ],
)
def test_the_state_of_a_connection(activity: Activity, state: State) -> None:
    assert state_of(activity, True, NOW) == state
    assert state_of(activity, False, NOW) == "off"


def test_replicas_are_added_up_and_a_day_is_counted() -> None:
    old, edge = Micros(THIS_HOUR - 24 * HOUR), Micros(THIS_HOUR - 23 * HOUR)
    first = ConnectionActive(
        meta(OPEN),
        OPEN,
        "1",
        taken_at=ago(5),
        refused_at=ago(9),
        refusal="older",
        hours=(ActivityHour(old, taken=1_000), ActivityHour(edge, taken=1), ActivityHour(THIS_HOUR, 2, 3, 4, 5)),
    )
    second = ConnectionActive(
        meta(OPEN), OPEN, "2", taken_at=ago(7), refused_at=ago(8), refusal="newer", hours=(ActivityHour(THIS_HOUR, 10),)
    )
    for facts in ((first, second), (second, first)):
        assert activity_of(facts, NOW) == Activity(
            taken=13, quarantined=3, refused=4, failed=5, taken_at=ago(5), refused_at=ago(8), refusal="newer"
        )
    assert activity_of((), NOW) == NOTHING


def test_what_to_do_is_said() -> None:
    entry = catalogue()["monobank"]
    failing = Activity(refused=12, refused_at=ago(1), refusal="The signature does not match. Nothing was kept.")
    assert advice("failing", failing, entry, OPEN) == (
        "Refused 12 of 12 within a day; the last: The signature does not match. Nothing was kept. "
        f"The secret: {entry.secret}"
    )
    odd = Activity(taken=1, quarantined=2, quarantined_at=ago(1))
    assert advice("failing", odd, entry, OPEN).startswith("2 of 3 within a day could not be understood.")
    assert advice("failing", Activity(failed=2, failed_at=ago(1)), entry, OPEN).startswith("2 of 2 within a day were")
    assert advice("connected", Activity(taken=1), entry, OPEN) == ""
    assert "crm connect monobank --connection" in advice("off", NOTHING, entry, OPEN)
    assert "docs/integrations.md" in advice("never delivered", NOTHING, entry, OPEN)
    assert "webhook" in advice("quiet", NOTHING, entry, OPEN)
    assert advice("failing", failing, entry, OPEN, "Its key is not here.") == "Its key is not here."


def polled(**state: Any) -> ConnectionPolled:
    return ConnectionPolled(meta(OPEN), OPEN, "olx", **state)


def test_a_vendor_that_refuses_fails_and_says_what_to_do() -> None:
    refused = polled(answered_at=ago(9), problem="The vendor answered 400.", advice="Log in again: `crm connect olx`.")
    silent = polled(problem="The vendor cannot be reached: ReadTimeout.")
    for state, said in (
        (refused, "The vendor answered 400. Log in again: `crm connect olx`."),
        (silent, "The vendor cannot be reached: ReadTimeout."),
    ):
        found = activity_of((), NOW, state)
        assert judged(found, OLX, OPEN, NOW, enabled=True, secret=True, locked="") == ("failing", said)
        assert judged(found, OLX, OPEN, NOW, enabled=False, secret=True, locked="") == ("off", "")


def test_a_polled_vendor_is_connected_while_it_answers() -> None:
    def state(**given: Any) -> tuple[State, str]:
        return judged(Activity(polled=polled(**given)), OLX, OPEN, NOW, enabled=True, secret=True, locked="")

    assert state(answered_at=ago(1)) == ("connected", "")
    assert state(answered_at=ago(QUIET), found_at=ago(QUIET))[0] == "quiet"
    assert state()[0] == "never delivered" and "role polling" in state()[1]
    assert Activity(taken_at=ago(5), polled=polled(found_at=ago(3))).delivered_at == ago(3)
