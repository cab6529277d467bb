"""Binotel: telephone calls."""

from services.connectors.binotel.webhook import CONNECTOR

__all__ = ["CONNECTOR"]
