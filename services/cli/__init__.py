"""`crm`: the command line. One file a command in `commands/`, loaded when it is asked for; errors are sentences."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import structlog
import typer

from services.cli import commands
from services.cli.sentences import Sentences

HELP = "Potik, an event-sourced CRM backend on Kafka."


class Commands(Sentences):
    """The root of all commands. Loading every file takes a second, so a file is loaded when its command is wanted."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted({*self.commands, *(found.name for found in iter_modules(commands.__path__))})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        names = self.list_commands(ctx)
        for name in [cmd_name] if cmd_name in names else names:  # all of them to suggest what a typing error meant
            if name not in self.commands:
                self.add_command(loaded(name), name)
        return self.commands.get(cmd_name)


def loaded(name: str) -> Any:
    """The command of one file: its group `app`, or the function named as the file."""
    module = import_module(f"{commands.__name__}.{name}")
    one = root(Sentences)
    if group := getattr(module, "app", None):
        one.add_typer(group, name=name)
    else:
        one.command(name, **getattr(module, "TYPER", {}))(getattr(module, name))
    return typer.main.get_group(one).commands[name]


def root(group: type[Sentences]) -> typer.Typer:
    """A command line without commands, whose errors are sentences and whose logs go to standard error."""
    app = typer.Typer(cls=group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)

    @app.callback(help=HELP)
    def crm() -> None:
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

    return app


app = root(Commands)
