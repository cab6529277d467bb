"""`crm`: the command line. One file a command, loaded when it is asked for; errors are sentences, never a traceback."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

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
    "workspace",
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


class Commands(Sentences):
    """The root of all commands. To load every file takes a second, so a file is loaded when its command is wanted."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"{__name__}.{name}")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        there = self.list_commands(ctx)
        for name in [cmd_name] if cmd_name in there else there:  # all of them to find what a typing error meant
            if name not in self.commands:
                self.add_command(loaded(name), name)
        return self.commands.get(cmd_name)


def loaded(name: str) -> Any:
    """The command of one file: its group `app`, or its function."""
    root = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    root.callback()(crm)
    module = import_module(f"{__name__}.{name}")
    if group := getattr(module, "app", None):
        root.add_typer(group, name=name)
    else:
        root.command(name)(getattr(module, name))
    return typer.main.get_group(root).commands[name]


app = typer.Typer(
    cls=Commands,
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
