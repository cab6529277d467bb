"""Runs `crm` as `python -m services.cli`."""

from services.cli import app

app(prog_name="crm")
