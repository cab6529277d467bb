"""LiqPay: card payments."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.liqpay.webhook import WEBHOOK, Settings

PROOF = Signature("the private key of the shop, at liqpay.ua under Business, API.")
CONNECTOR = Connector("liqpay", "banking", WEBHOOK, "Card payments through LiqPay", PROOF, Settings)
