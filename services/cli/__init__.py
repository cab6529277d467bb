"""`crm`: the command line. One file per command in `commands/`, loaded when it is called; errors are sentences."""

import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import structlog
import typer

from services.cli import commands
from services.cli.errors import ErrorReportingGroup

HELP = "Potik, an event-sourced CRM backend on Kafka. First steps: `crm up`, then `crm demo`. Problems: `crm doctor`."


class Commands(ErrorReportingGroup):
    """The root of all commands. Loading every file takes a second, so a command loads only its own file."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands in the order in which a newcomer needs them. Loads every file."""
        for found in iter_modules(commands.__path__):
            self.load(found.name)
        return sorted(self.commands, key=lambda name: (*commands.order_of(import_module(path_of(name))), name))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The named command, or None once all are loaded, to suggest what a mistyped name meant."""
        file = cmd_name.replace("-", "_")
        if any(found.name == file for found in iter_modules(commands.__path__)):
            self.load(file)
        else:
            self.list_commands(ctx)
        return self.commands.get(cmd_name)

    def load(self, file: str) -> None:
        """Adds the command of one file: its group `app`, or the function that is named like the file."""
        name = file.replace("_", "-")
        if name in self.commands:
            return
        module = import_module(path_of(name))
        one = root(ErrorReportingGroup)
        options = {"rich_help_panel": commands.panel_of(module)} | getattr(module, "TYPER", {})
        if group := getattr(module, "app", None):
            one.add_typer(group, name=name, **options)
        else:
            one.command(name, **options)(getattr(module, file))
        self.add_command(typer.main.get_group(one).commands[name], name)


def path_of(name: str) -> str:
    return f"{commands.__name__}.{name.replace('-', '_')}"


def root(group: type[ErrorReportingGroup]) -> typer.Typer:
    """Returns a command line without commands. Its errors are sentences, its logs go to standard error."""
    app = typer.Typer(cls=group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)

    @app.callback(help=HELP)
    def crm() -> None:
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

    return app


app = root(Commands)
