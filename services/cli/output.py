"""How commands print: colours and tables for people, plain lines for pipes, JSON for programs."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import typer
from rich import box
from rich.console import Console
from rich.table import Table


def as_json(value: Any) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    console = Console(highlight=False)
    drawn = Table(*columns, box=box.SIMPLE if console.is_terminal else None, pad_edge=False)
    for row in rows:
        drawn.add_row(*("" if cell is None else str(cell) for cell in row))
    if not console.is_terminal:
        console.width = 200
    console.print(drawn)


def teller(quiet: bool) -> Callable[[str], None]:
    """Progress goes to standard error, so that standard output is JSON alone."""
    console = Console(stderr=True, highlight=False)
    return (lambda _: None) if quiet or not console.is_terminal else console.print
