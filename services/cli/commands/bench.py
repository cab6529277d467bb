"""`crm bench`: runs `python -m tests.bench` of a checkout."""

import typer

from services.cli.checkout_commands import run_from_checkout

PANEL = "Develop"

TYPER = {"add_help_option": False, "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}


def bench(context: typer.Context) -> None:
    """Measure this machine: each benchmark prints JSON. The benchmarks are part of the tests."""
    run_from_checkout("bench", context.args)
