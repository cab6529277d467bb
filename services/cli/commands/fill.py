"""`crm fill`: the former name of `crm backfill`."""

from services.cli.commands.backfill import PANEL, backfill

__all__ = ["PANEL", "fill"]
TYPER = {"hidden": True, "deprecated": True}
fill = backfill
