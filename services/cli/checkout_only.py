"""Runs commands whose code is part of the tests, where the tests are installed."""

import subprocess
import sys
from importlib.util import find_spec

import typer


def run(name: str, args: list[str]) -> None:
    """Runs `python -m tests.<name>` and exits with its code. Raises RuntimeError when the tests are not installed."""
    if find_spec("tests") is None or find_spec(f"tests.{name}") is None:
        raise RuntimeError(
            f"`crm {name}` is part of the tests, which are not installed here. Nothing was started. "
            f"Run `make {name}` or `python -m tests.{name}` in a checkout of Potik."
        )
    raise typer.Exit(subprocess.call([sys.executable, "-m", f"tests.{name}", *args]))
