"""The limit of dead letters: who cannot decide on most of what comes stops, and a bad sender alone stops nobody."""

import pytest

from crm.engine.dead_letters import WINDOW, DeadLetters, TooManyDeadLetters

WHY = "the rule for it failed: ZeroDivisionError('planted')"


def taken(good: int, bad: int, least: int = 100) -> DeadLetters:
    """So many good facts, then so many bad ones."""
    letters = DeadLetters(least)
    for offset in range(good + bad):
        letters.note(("crm.intake.forms", 0, offset), WHY if offset >= good else "")
    return letters


def stops(letters: DeadLetters) -> bool:
    try:
        letters.check()
    except TooManyDeadLetters:
        return True
    return False


@pytest.mark.parametrize(
    ("good", "bad", "stopped"),
    [
        (0, 100, False),  # few may always be bad, also all of the first ones
        (0, 101, True),
        (101, 101, False),  # one half is not over half
        (100, 101, True),
        (500, 500, False),
        (499, 501, True),
        (10_000, 500, False),  # the window is full of the last 1,000 alone
        (10_000, 501, True),
    ],
)
def test_it_takes_many_and_most_of_them(good: int, bad: int, stopped: bool) -> None:
    assert stops(taken(good, bad)) is stopped


def test_good_facts_push_bad_ones_out() -> None:
    letters = taken(0, 90)
    for offset in range(100, 100 + WINDOW):
        letters.note(("crm.intake.forms", 0, offset))
    assert (len(letters.last), any(letters.last.values())) == (WINDOW, False)


def test_a_transaction_that_runs_again_counts_once() -> None:
    """Postgres was away for a minute: the same 60 bad facts were seen in each of 600 tries."""
    letters = taken(0, 60)
    for _ in range(600):
        for offset in range(60):
            letters.note(("crm.intake.forms", 0, offset), WHY)
    letters.check()


def test_zero_sets_no_limit() -> None:
    taken(0, 1_000, least=0).check()


def test_it_says_what_where_and_what_to_do_and_stays_stopped() -> None:
    letters = taken(0, 101)
    sentence = (
        "101 of the last 101 facts could not be decided on; the newest, at crm.intake.forms/0/100: the rule for it "
        "failed: ZeroDivisionError('planted'). So many say that decide itself is at fault: it stopped, and nothing "
        "of this batch was kept or lost. Start a version that can decide on them; to let them all into quarantine, "
        "raise CRM_QUARANTINE_LIMIT (0 is none) and start decide again."
    )
    with pytest.raises(TooManyDeadLetters) as stop:
        letters.check()
    assert (str(stop.value), letters.stopped) == (sentence, sentence)
    for offset in range(200, 1_200):
        letters.note(("crm.intake.forms", 0, offset))
    assert stops(letters)
