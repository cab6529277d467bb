"""What `crm doctor` says of webhooks."""

import pytest

from crm.scalars import Micros
from services.cli.doctor.checks import Finding
from services.cli.doctor.receivers import Receiver, findings

HOUR = 3_600_000_000
NOW = Micros(1_000 * HOUR)
URL = "https://a.example/"
OFF = "Its receiver answered 410. What waits is kept. Mend it, then switch it on: it goes on where it stopped."


def test_receivers_that_work_are_one_line() -> None:
    assert findings([], NOW) == []
    assert findings([Receiver("1", URL)], NOW) == [Finding("webhooks", True, "The webhook works.")]
    fails_since_a_moment = Receiver("2", URL, failing_since=Micros(NOW - HOUR))
    (found,) = findings([Receiver("1", URL, enabled=False), fails_since_a_moment], NOW)
    assert found == Finding("webhooks", True, "All 2 webhooks take what they are sent.")


@pytest.mark.parametrize(
    ("receiver", "sentence"),
    [
        (Receiver("7", URL, False, OFF), f"{URL} was switched off: {OFF} `crm webhooks change 7 --on`."),
        (
            Receiver("7", URL, failing_since=Micros(NOW - 3 * HOUR), waiting=1_200),
            f"{URL} has taken nothing for 3 h; 1,200 deliveries wait and are tried again. `crm webhooks log 7` shows "
            "what it answers.",
        ),
        (
            Receiver("7", URL, dead=2),
            f"2 deliveries to {URL} were given up: `crm webhooks log 7 --state dead` shows why, "
            "`crm webhooks retry 7` sends them again, `discard` takes them off the list.",
        ),
    ],
)
def test_what_needs_a_person_is_said_with_its_remedy(receiver: Receiver, sentence: str) -> None:
    assert findings([Receiver("1", URL), receiver], NOW) == [Finding("webhooks", False, sentence)]
