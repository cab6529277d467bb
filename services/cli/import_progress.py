"""Shows how far an import is: rows, rate, time left and rows that were refused so far, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crm.imports import Status
from services.operations.archive.progress import progress_bar


@contextmanager
def following(doing: str, quiet: bool) -> Iterator[Callable[[Status], None]]:
    """Yields a function to call with each status."""
    text = "{task.fields[rows]} rows, {task.fields[rate]}/s, {task.fields[errors]} refused, left"
    with progress_bar(text, quiet) as bar:
        task = bar.add_task(doing, total=None, rows="0", rate="-", errors="0")

        def look(status: Status) -> None:
            counts = status.counts
            rate = f"{counts.rows / status.seconds:,.0f}" if status.seconds else "-"
            bar.update(task, completed=status.done, total=status.whole or None)
            bar.update(task, rows=f"{counts.rows:,}", rate=rate, errors=f"{counts.error:,}")

        yield look
