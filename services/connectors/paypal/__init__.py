"""PayPal: payments."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.paypal.webhook import WEBHOOK, Settings

PROOF = Signature(
    "the webhook's ID, at developer.paypal.com in the app under Webhooks. PayPal signs it with each event."
)
CONNECTOR = Connector("paypal", "banking", WEBHOOK, "Payments through PayPal", PROOF, Settings)
