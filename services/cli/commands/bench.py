"""`crm bench`: runs `python -m tests.bench`, which only a checkout has."""

import typer

from services.cli.of_tests import run

TYPER = {"add_help_option": False, "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}


def bench(context: typer.Context) -> None:
    """Measure this machine: each benchmark prints JSON. The benchmarks are part of the tests."""
    run("bench", context.args)
