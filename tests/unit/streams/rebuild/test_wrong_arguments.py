"""`crm rebuild` and `crm verify`: what cannot be asked for is a sentence, before any server is asked."""

import pytest
from typer.testing import CliRunner

from services.cli import app

ALL = "There are: call, connection, contact, "


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("rebuild", f"Name projections, or give --all. {ALL}"),
        ("rebuild deal nothing", f"There is no projection nothing. {ALL}"),
        ("verify nothing", f"There is no projection nothing. {ALL}"),
        (
            "rebuild deal --from-empty",
            "--from-empty makes all of Postgres anew: give --all with it.",
        ),
        (
            "rebuild --all --from-empty --archive x",
            "--from-empty reads Kafka alone. Nothing was changed",
        ),
        (
            "rebuild deal --swap",
            "--swap goes with --all --from-empty. Nothing was changed",
        ),
    ],
)
def test_it_is_refused(asked: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    done = CliRunner().invoke(app, asked.split())
    assert (done.exit_code, said in done.stderr) == (1, True), done.output
