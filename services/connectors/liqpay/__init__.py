"""LiqPay: card payments."""

from services.connectors.liqpay.webhook import CONNECTOR

__all__ = ["CONNECTOR"]
