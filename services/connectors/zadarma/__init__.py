"""Zadarma: telephone calls."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.zadarma.files import FILES
from services.connectors.zadarma.webhook import WEBHOOK, Settings

PROOF = Signature("the API secret, at my.zadarma.com under Settings, API.")
CONNECTOR = Connector("zadarma", "calls", WEBHOOK, "Telephone calls of Zadarma", PROOF, Settings, files=FILES)
