"""Ukrposhta: where parcels are."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.ukrposhta.poll import POLL

PROOF = ApiKey("the bearer token for status tracking (PRODUCTION BEARER StatusTracking), in the contract's cabinet.")
CONNECTOR = Connector(
    *("ukrposhta", "parcels", None, "Parcels of Ukrposhta", PROOF), poll=POLL, tracking=r"\d{13}|[A-Z]{2}\d{9}[A-Z]{2}"
)
