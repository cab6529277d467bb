"""Stripe: payments."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.stripe.activate import ACTIVATION
from services.connectors.stripe.webhook import WEBHOOK, Settings

PROOF = Signature("the signing secret of the endpoint (whsec_...), at dashboard.stripe.com under Developers, Webhooks.")
TITLE = "Payments through Stripe"
CONNECTOR = Connector("stripe", "banking", WEBHOOK, TITLE, PROOF, Settings, ACTIVATION)
