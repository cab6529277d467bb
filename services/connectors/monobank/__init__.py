"""monobank acquiring: invoices."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.monobank.activate import ACTIVATION, Settings
from services.connectors.monobank.webhook import WEBHOOK

PROOF = Signature(
    "the public key of the merchant, the value of `key` that GET /api/merchant/pubkey returns: it begins with LS0tLS1.",
    pattern=r"LS0tLS1[A-Za-z0-9+/]{60,}={0,2}",
)
CONNECTOR = Connector("monobank", "banking", WEBHOOK, "Invoices of monobank acquiring", PROOF, Settings, ACTIVATION)
