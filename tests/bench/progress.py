"""Progress of a benchmark."""

from collections.abc import Callable

from rich.console import Console


def progress_printer(quiet: bool) -> Callable[[str], None]:
    """Returns a function that prints progress to standard error, to keep it out of the result."""
    console = Console(stderr=True, highlight=False)
    return (lambda _: None) if quiet or not console.is_terminal else console.print
