"""`crm`: the command line. One file a command; errors are sentences, never a traceback."""

import sys
from importlib import import_module
from importlib.util import find_spec

import structlog
import typer

from services.cli.sentences import Sentences

COMMANDS = (
    "up",
    "down",
    "status",
    "doctor",
    "setup",
    "demo",
    "bench",
    "chaos",
    "connect",
    "token",
    "tail",
    "asof",
    "why",
    "replay",
    "archive",
    "backup",
    "restore",
    "quarantine",
    "reparse",
    "fill",
    "whatif",
    "rebuild",
    "verify",
)

app = typer.Typer(
    cls=Sentences,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Potik, an event-sourced CRM backend on Kafka.",
)


@app.callback()
def crm() -> None:
    """Potik, an event-sourced CRM backend on Kafka."""
    # standard output is for the answer
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


for name in COMMANDS:
    if find_spec(f"{__name__}.{name}"):
        module = import_module(f"{__name__}.{name}")
        if group := getattr(module, "app", None):
            app.add_typer(group, name=name)
        else:
            app.command(name)(getattr(module, name))
