"""Prom.ua: orders of a shop on the marketplace."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.orders import PolledShopSettings
from services.connectors.prom_ua.poll import POLL

PROOF = ApiKey("the API token, in the cabinet of Prom.ua under Settings, API tokens, with the right to read orders.")
CONNECTOR = Connector("prom-ua", "facts", None, "Orders of a shop on Prom.ua", PROOF, PolledShopSettings, poll=POLL)
