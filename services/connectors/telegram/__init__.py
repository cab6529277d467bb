"""Telegram bots: what people write to them."""

from services.connectors.telegram.webhook import CONNECTOR

__all__ = ["CONNECTOR"]
