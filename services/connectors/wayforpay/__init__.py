"""WayForPay: card payments."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.wayforpay.webhook import WEBHOOK, Settings

PROOF = Signature("the merchant's secret key, at m.wayforpay.com under Settings, Requisites of the merchant.")
CONNECTOR = Connector("wayforpay", "banking", WEBHOOK, "Card payments through WayForPay", PROOF, Settings)
