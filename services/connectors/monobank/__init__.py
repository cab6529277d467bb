"""monobank acquiring: invoices."""

from services.connectors.monobank.webhook import CONNECTOR

__all__ = ["CONNECTOR"]
