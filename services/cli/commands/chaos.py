"""`crm chaos`: runs `python -m tests.chaos`, which only a checkout has."""

import typer

from services.cli.of_tests import run

TYPER = {"add_help_option": False, "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}


def chaos(context: typer.Context) -> None:
    """Break a stack of its own on purpose and prove that nothing is lost. The harness is part of the tests."""
    run("chaos", context.args)
