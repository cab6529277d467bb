"""monobank personal and sole-trader accounts: statements."""

from services.connectors.monobank_personal.webhook import CONNECTOR

__all__ = ["CONNECTOR"]
