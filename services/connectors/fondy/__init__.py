"""Fondy and Flitt: card payments."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.fondy.webhook import WEBHOOK, Settings

PROOF = Signature("the payment key of the merchant, in the portal under Merchants, Technical settings.")
CONNECTOR = Connector("fondy", "banking", WEBHOOK, "Card payments through Fondy or Flitt", PROOF, Settings)
