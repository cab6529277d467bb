"""A token that was typed wrongly is refused by its checksum; one of another form is looked up."""

import pytest

from crm.adapters.kafka.directory import Access, mistyped
from crm.envelope import now
from crm.tokens import checksum, new_secret
from tests.support.intake_server import NOON, TOKENS, WRITER
from tests.unit.services.intake.test_access import issue


@pytest.mark.parametrize("change", [9, 20, 40, 46])
def test_one_wrong_character_is_seen(change: int) -> None:
    good = new_secret()
    wrong = good[:change] + ("a" if good[change] != "a" else "b") + good[change + 1 :]
    assert (mistyped(good), mistyped(wrong)) == (False, True)


def test_what_is_not_ascii_is_no_token() -> None:
    assert mistyped("crm_live_" + "\ud800" * 38)


@pytest.mark.parametrize("text", ["", "crm_live_", "crm_live_short", "another-form", "crm_live_" + "x" * 39])
def test_another_form_is_not_judged(text: str) -> None:
    assert not mistyped(text)


def test_a_mistyped_token_is_not_looked_up() -> None:
    """Even if somebody had declared its hash."""
    access, text = Access(), "crm_live_" + "x" * 38
    issue(access, text)
    assert access.token(text) is None
    right = "crm_live_" + "x" * 32 + checksum("x" * 32)
    issue(access, right)
    assert access.token(right) is not None


def test_the_last_use_is_noted_of_a_token_that_holds() -> None:
    access, begun = Access(), now()
    issue(access, "text", expires_at=NOON)
    assert access.token("text") is None and access.token("other") is None
    assert access.used == {}
    issue(access, "text")
    assert access.token("text") is not None
    assert access.used[TOKENS[WRITER]] >= begun
