"""The card of a quarantined delivery: where its bytes are, what was tried, and how it ended."""

from msgspec.structs import replace

from crm.events import FactQuarantined, QuarantineAttempted, QuarantineSettled
from projections.quarantine import QuarantineRow, quarantine
from tests.support.projection_events import NOON, an_id, meta, row_of

QID = an_id("fact")
CAME = FactQuarantined(meta(), QID, "monobank", "no JSON", "text/html", 12, "ab" * 32, "<html>")
WAITS = QuarantineRow(
    QID, "connection", "monobank", "no JSON", "text/html", 12, "ab" * 32, "<html>", "crm.intake.forms", 2, 40, NOON,
    NOON, "waiting", 0, None, "", "payment",
)  # fmt: skip
TRIED = QuarantineAttempted(meta("tried", 5), QID, 1, "no amount")
FREED = QuarantineSettled(meta("freed", 9), QID, "released", 2)


def test_it_says_where_its_bytes_are() -> None:
    assert row_of(quarantine, CAME) == WAITS


def test_an_attempt_in_vain_tells_the_new_reason() -> None:
    row = replace(WAITS, reason="no amount", attempts=1, touched_at=NOON + 5, touched_by="forms")
    assert row_of(quarantine, CAME, TRIED) == row


def test_what_is_released_keeps_its_last_reason() -> None:
    row = replace(WAITS, reason="no amount", attempts=2, status="released", touched_at=NOON + 9, touched_by="forms")
    assert row_of(quarantine, CAME, TRIED, FREED) == row
    assert row_of(quarantine, CAME, TRIED, FREED, TRIED) == row


def test_what_is_discarded_tells_why() -> None:
    row = row_of(quarantine, CAME, QuarantineSettled(meta("gone"), QID, "discarded", 0, "spam"))
    assert (row.status, row.reason, row.attempts) == ("discarded", "spam", 0)


def test_what_nobody_knows_of_makes_no_card() -> None:
    assert row_of(quarantine, TRIED) is None
    assert row_of(quarantine, FREED) is None
