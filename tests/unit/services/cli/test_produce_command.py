"""`crm produce`: what it says before it sends anything, and what it prints."""

import json
from pathlib import Path
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.cli.commands import produce as command
from services.intake.refusals import Verdict
from tests.support.facts_suite import CALL, lines


class Accepting:
    """A sender that accepts all lines but those that say `bad`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def send(self, sent: list[bytes]) -> list[Verdict]:
        refused = Verdict("refused", code="INVALID_VALUE", message="It is bad.", error="Line 1: It is bad.", line=1)
        return [refused if b"bad" in line else Verdict("accepted") for line in sent]


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "CRM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CRM_DATA", str(tmp_path))


def crm(*words: str) -> Any:
    return CliRunner().invoke(app, ["produce", *words])


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("a.ndjson", [], "Give --token or set CRM_TOKEN: there is no demo workspace. Nothing was sent."),
        ("a.ndjson", ["--token", "t"], "No stack is running on"),
        ("a.ndjson", ["--token", "t", "--kafka", "--url", "http://x"], "--url is an address of intake"),
        ("a.ndjson", ["--map", "a=b"], "--map and --charset are for tables, not for a.ndjson. Nothing was sent."),
        ("a.csv", ["--map", "a"], "--map takes COLUMN=FIELD, not 'a'. Nothing was sent."),
        ("a.pdf", [], "a.pdf has no ending that is known. Nothing was sent."),
        ("a.csv", ["--token", "t", "--url", "http://127.0.0.1:1"], "--type takes one of CallReported, "),
    ],
)
def test_it_says_what_is_missing(tmp_path: Path, name: str, words: list[str], sentence: str) -> None:
    (tmp_path / name).write_bytes(lines(CALL))
    result = crm(str(tmp_path / name), *words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_it_prints_what_became_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "sender_to", lambda *_: Accepting())
    path = tmp_path / "a.ndjson"
    path.write_bytes(lines(CALL, CALL))
    result = crm(str(path), "--token", "t", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 0
    assert (found["lines"], found["accepted"], found["refused"], found["refused_file"]) == (2, 2, 0, None)
    path.write_bytes(lines(CALL, {**CALL, "line": "bad"}))
    result = crm(str(path), "--token", "t")
    assert result.exit_code == 1
    aside = f"{path}.refused.ndjson"
    assert "2 lines of a.ndjson in " in result.output
    assert "1 accepted, 1 refused." in result.output
    assert "Line 2: It is bad." in result.output
    assert f"Lines that were not accepted: 1. They are in {aside}, each with its reason." in result.output
    assert json.loads(Path(aside).read_text())["refused"]["line"] == 2
