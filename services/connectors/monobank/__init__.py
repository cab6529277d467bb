"""monobank acquiring: invoices."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.monobank.webhook import WEBHOOK

PROOF = Signature("the public key of the merchant, the value of `key` that GET /api/merchant/pubkey returns.")
CONNECTOR = Connector("monobank", "banking", WEBHOOK, "Invoices of monobank acquiring", PROOF)
