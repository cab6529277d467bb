"""`crm chaos`: runs `python -m tests.chaos` of a checkout."""

import typer

from services.cli.checkout_commands import run_from_checkout

PANEL = "Develop"

TYPER = {"add_help_option": False, "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}


def chaos(context: typer.Context) -> None:
    """Break a separate stack on purpose and prove that nothing is lost. The harness is part of the tests."""
    run_from_checkout("chaos", context.args)
