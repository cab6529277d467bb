"""Nova Poshta: where parcels are."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.nova_poshta.poll import POLL, Settings

PROOF = ApiKey(
    "the API key, in the business cabinet under Settings, Security: 32 digits and letters.", r"[0-9a-fA-F]{32}"
)
CONNECTOR = Connector(
    *("nova-poshta", "parcels", None, "Parcels of Nova Poshta", PROOF, Settings), poll=POLL, tracking=r"\d{14}|\d{11}"
)
