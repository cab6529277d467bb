"""`crm` as it is suggested, as it is listed, and what its former names do."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app, program
from services.cli.program import runnable

HINT = "Start it with `crm up` (or `make run`); it is no `crm`."


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    program.program.cache_clear()
    yield
    program.program.cache_clear()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an installation of its own, which PATH does not lead to."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("python", "crm"):
        (folder / name).touch(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    return tmp_path


def test_a_command_is_suggested_with_the_path_that_works(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert runnable(HINT) == "Start it with `.venv/bin/crm up` (or `make run`); it is no `crm`."


@pytest.mark.parametrize("folder", [".venv/bin", "elsewhere"])
def test_elsewhere_the_whole_path_is_given(checkout: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    (checkout / folder).mkdir(exist_ok=True)
    monkeypatch.chdir(checkout / folder)
    assert f"`{checkout}/.venv/bin/crm up`" in runnable(HINT)


def test_on_path_the_name_is_enough(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout / ".venv" / "bin"))
    assert runnable(HINT) == HINT


def test_another_installations_program_on_path_is_not_suggested(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = checkout / "other"
    other.mkdir()
    (other / "crm").touch(0o755)
    monkeypatch.setenv("PATH", str(other))
    monkeypatch.chdir(checkout)
    assert "`.venv/bin/crm up`" in runnable(HINT)


def test_without_a_program_the_module_is_suggested(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "crm").unlink()
    assert f"`{sys.executable} -m services.cli up`" in runnable(HINT)


def test_what_a_newcomer_needs_is_listed_first() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    headings = ["Run", "Connect", "Look", "History", "Operate", "Develop"]
    order = [*headings[:1], " up ", " demo ", " doctor ", *headings[1:]]
    found = [shown.index(f"─ {word} ─" if word in headings else word) for word in order]
    assert found == sorted(found)
    assert " fill " not in shown


def test_the_former_name_of_backfill_works_and_says_so() -> None:
    done = CliRunner().invoke(app, ["fill", "size", "--from", "size", "--connector", "nothing", "--since", "1h"])
    assert done.exit_code == 1
    assert "The command 'fill' is deprecated" in done.stderr
    assert "There is no connector 'nothing'." in done.stderr


def test_a_command_loads_only_its_own_file() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from services.cli import app;"
        "CliRunner().invoke(app, ['down', '--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('services.cli.commands.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['services.cli.commands.down']\n"
