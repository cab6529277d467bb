"""`crm bench` and `crm chaos` pass everything on to the tests' own programs, or say where these are."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from services.cli import app, checkout_commands


@pytest.mark.parametrize("name", ["bench", "chaos"])
@pytest.mark.parametrize("missing", ["tests", "tests.{name}"])
def test_without_the_tests_a_sentence_says_where_they_are(
    name: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = missing.format(name=name)
    monkeypatch.setattr(checkout_commands, "find_spec", lambda module: None if module == gone else object())
    monkeypatch.setattr(subprocess, "call", lambda command: pytest.fail(f"{command} was started"))
    done = CliRunner().invoke(app, [name, "--json"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"`crm {name}` is part of the tests, which are not installed here. Nothing was started. "
        f"Run `make {name}` or `python -m tests.{name}` in a checkout of Potik.\n"
    )


@pytest.mark.parametrize(("name", "words"), [("bench", ["intake", "--seconds", "3"]), ("chaos", ["--help"])])
def test_in_a_checkout_all_arguments_and_the_exit_code_are_passed_on(
    name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []

    def call(command: list[str]) -> int:
        called.append(command)
        return 7

    monkeypatch.setattr(subprocess, "call", call)
    assert CliRunner().invoke(app, [name, *words]).exit_code == 7
    assert called == [[sys.executable, "-m", f"tests.{name}", *words]]
