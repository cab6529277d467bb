"""`crm screen-pop` prints a line for each message, and says what is not certain."""

from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.cli.commands.screen_pop import line

OLENA: dict[str, Any] = {
    "name": "Olena",
    "owner": {"key": "taras", "name": "Taras"},
    "open_deals": [{"number": 7, "title": "Двері", "amount": "202.00 UAH"}],
    "conversation": {"last_text": "Чи є двері?"},
}
NOBODY: dict[str, Any] = {"name": "", "owner": None, "open_deals": [], "conversation": None}
CALL: dict[str, Any] = {"call_id": "c1", "phone": "+380671234567", "phone_text": "067", "employee": None}
TARAS = {"said": "101", "owners": [{"key": "taras", "name": "Taras"}]}


@pytest.mark.parametrize(
    ("kind", "said", "printed"),
    [
        (
            "ring",
            {**CALL, "match": "certain", "contacts": [OLENA], "employee": TARAS},
            "ring  c1  +380671234567  Olena; D-7 Двері 202.00 UAH; Taras; “Чи є двері?”  rings Taras",
        ),
        (
            "ring",
            {**CALL, "match": "uncertain", "contacts": [NOBODY, {**NOBODY, "name": "Petro"}]},
            "ring  c1  +380671234567  not certain: without a name or Petro",
        ),
        ("ring", {**CALL, "phone": "", "phone_text": "", "match": "none", "contacts": []},
         "ring  c1  no number  unknown"),
        ("end", {"call_id": "c1", "why": "answered_by_another", "by": {"said": "102", "owners": []}},
         "end   c1  answered by somebody else (102)"),
        ("end", {"call_id": "c1", "why": "later word", "by": None}, "end   c1  later word"),
        ("refused", {"code": "BAD_CURSOR", "message": "Connect without it."}, "Connect without it."),
    ],
)  # fmt: skip
def test_a_line(kind: str, said: dict[str, Any], printed: str) -> None:
    assert line(kind, said) == printed


def test_the_command_has_a_hyphen() -> None:
    found = CliRunner().invoke(app, ["screen-pop", "--help"])
    assert (found.exit_code, "Print who is calling" in found.output) == (0, True)
