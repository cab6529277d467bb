"""Prints errors that a user can fix as a sentence and exits with code 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from crm.errors import CrmError
from services.cli.program import runnable
from services.stack.state import AlreadyRuns, NotRunning

# What a user can fix. Anything else is a defect of Potik and keeps its traceback.
USER_ERRORS = (CrmError, NotRunning, AlreadyRuns, RuntimeError, ValueError, OSError)
USER_ERROR_PACKAGES = ("aiokafka", "psycopg", "httpx")  # errors of servers; named, as importing them takes time


class ErrorReportingGroup(TyperGroup):
    """A group of commands that prints such errors."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if isinstance(error, USER_ERRORS) or type(error).__module__.split(".")[0] in USER_ERROR_PACKAGES:
                typer.echo(runnable(sentence(error)), err=True)
                raise typer.Exit(1) from None
            raise


def sentence(error: Exception) -> str:
    text = str(error).strip()
    return text if " " in text else f"{type(error).__name__}: {text}".rstrip(": ")
