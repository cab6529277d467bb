"""Web forms of any site or form builder."""

from services.connectors.form.webhook import CONNECTOR

__all__ = ["CONNECTOR"]
