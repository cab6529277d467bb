"""Meest: where parcels are."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.meest.poll import POLL

PROOF = ApiKey("the user's name and password of the Meest API, with a colon between them: name:password.")
CONNECTOR = Connector("meest", "parcels", None, "Parcels of Meest", PROOF, poll=POLL)
