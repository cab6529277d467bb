"""Progress of a rebuild on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from services.cli import output
from services.operations.archive.progress import progress_bar
from streams.rebuild.rebuild import ProgressListener

INTERRUPTED = 130  # the exit code that shells use for Ctrl-C
STOPPED = "Stopped. Nothing was swapped: readers still see the previous rows. The next run starts from scratch."
SERVED = "Stopped, but the new rows are already in place: `crm doctor` says whether they are served."


@contextmanager
def progress(quiet: bool = False, stopped: str = STOPPED, served: str = SERVED) -> Iterator[ProgressListener]:
    """Shows events done, rate and time left on standard error, if that is a terminal.

    On Ctrl-C prints `stopped`, or `served` once the new rows are in place, and exits with 130.
    """
    with progress_bar("events, {task.fields[rate]}/s, {task.fields[lag]} behind, left", quiet) as bar:
        task = bar.add_task("", total=None, rate="-", lag="-")

        def advance(count: int) -> None:
            bar.advance(task, count)
            now = bar.tasks[task]
            left = max(0, int((now.total or 0) - now.completed))
            bar.update(task, rate=f"{now.speed:,.0f}" if now.speed else "-", lag=f"{left:,}")

        def step(text: str) -> None:
            steps.append(text)
            bar.update(task, description=text)

        steps: list[str] = []
        try:
            yield ProgressListener(
                step=step,
                begin=lambda total: bar.reset(task, total=total, description="fold", rate="-", lag=f"{total:,}"),
                advance=advance,
                lag=lambda left: bar.update(task, lag=f"{left:,}"),
            )
        except KeyboardInterrupt:
            bar.stop()
            output.say(served if "serve" in steps else stopped, err=True)
            raise typer.Exit(INTERRUPTED) from None
