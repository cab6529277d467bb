"""Asterisk: events of calls, and call detail records."""

from crm.connector import Connector
from crm.connector_proofs import SharedSecret
from services.connectors.asterisk.webhook import WEBHOOK, Settings

PROOF = SharedSecret("a long random text of your own: the exchange sends it as `Authorization: Bearer ...`.")
CONNECTOR = Connector(
    "asterisk", "calls", WEBHOOK, "Telephone calls of an Asterisk or FreePBX exchange", PROOF, Settings
)
