"""Turns errors that people can do something about into a sentence and exit code 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from crm.errors import CrmError
from services.stack.state import AlreadyRuns, NotRunning

# What a person can mend. Anything else is a defect of ours and keeps its traceback.
MENDABLE = (CrmError, NotRunning, AlreadyRuns, RuntimeError, ValueError, OSError)
MENDABLE_PACKAGES = ("aiokafka", "psycopg", "httpx")  # their errors come from servers; not imported for this alone


class Sentences(TyperGroup):
    """The root of all commands."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if isinstance(error, MENDABLE) or type(error).__module__.split(".")[0] in MENDABLE_PACKAGES:
                typer.echo(f"{sentence(error)}", err=True)
                raise typer.Exit(1) from None
            raise


def sentence(error: Exception) -> str:
    text = str(error).strip()
    return text if " " in text else f"{type(error).__name__}: {text}".rstrip(": ")
