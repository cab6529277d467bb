"""How long a token lives, as a person types it."""

import pytest

from crm.scalars import Micros
from services.cli.commands.token import end_of, moment

AT = Micros(1_767_268_800_000_000)  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("12h", "2026-01-02 00:00:00+00:00"), ("90d", "2026-04-01 12:00:00+00:00"), ("1w", "2026-01-08 12:00:00+00:00")],
)
def test_a_token_ends(typed: str, shown: str) -> None:
    assert moment(end_of(typed, AT)) == shown


def test_by_itself_it_does_not_end() -> None:
    assert moment(end_of("", AT)) is None


@pytest.mark.parametrize("typed", ["90", "0d", "-1d", "d", "1y", "99999d", "1d2h"])
def test_anything_else_makes_no_token(typed: str) -> None:
    with pytest.raises(ValueError, match="No token was created"):
        end_of(typed, AT)
