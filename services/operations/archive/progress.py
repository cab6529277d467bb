"""Progress of a long command: count, rate and time left, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

Advance = Callable[[int], None]


def progress_bar(text: str, quiet: bool) -> Progress:
    """Returns a bar on standard error, shown on a terminal only. `text` comes after the count, as rich formats it."""
    console = Console(stderr=True)
    columns = "{task.description}", BarColumn(), MofNCompleteColumn(), text, TimeRemainingColumn()
    return Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)


@contextmanager
def progress(doing: str, total: int, unit: str, quiet: bool = False) -> Iterator[Advance]:
    """Yields a function to call with the number of items that were just done."""
    with progress_bar(f"{unit}, {{task.fields[rate]}}/s, left", quiet) as bar:
        task = bar.add_task(doing, total=total, rate="-")

        def advance(count: int) -> None:
            bar.advance(task, count)
            if speed := bar.tasks[task].speed:
                bar.update(task, rate=f"{speed:,.0f}")

        yield advance
