"""`crm rebuild` and `crm verify`: wrong arguments are refused in a sentence before any server is contacted."""

import pytest
from typer.testing import CliRunner

from services.cli import app

ALL = "Choose from assignment_rules, call, connection, contact, "


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("rebuild", f"Name projections or give --all. {ALL}"),
        ("rebuild deal nothing", f"There is no projection nothing. {ALL}"),
        ("verify nothing", f"There is no projection nothing. {ALL}"),
        (
            "rebuild deal --from-empty",
            "give --all with it. Nothing was changed.",
        ),
        (
            "rebuild --all --from-empty --archive x",
            "Nothing was changed: load the archive first",
        ),
        (
            "rebuild deal --swap",
            "--swap works with --all --from-empty only. Nothing was changed",
        ),
    ],
)
def test_it_is_refused(arguments: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    done = CliRunner().invoke(app, arguments.split())
    assert (done.exit_code, said in done.stderr) == (1, True), done.output
