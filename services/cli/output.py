"""Output of commands: colours and tables on a terminal, plain lines in a pipe, JSON with `--json`."""

from collections.abc import Sequence
from typing import Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from services.cli.program import runnable


def say(text: str, err: bool = False) -> None:
    """Prints a text in which each `crm ...` becomes a command that works from where the user stands."""
    typer.echo(runnable(text), err=err)


def print_json(value: Any) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    console = Console(highlight=False)
    drawn = Table(*columns, box=box.SIMPLE if console.is_terminal else None, pad_edge=False)
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    if not console.is_terminal:
        console.width = 200
    console.print(drawn)
