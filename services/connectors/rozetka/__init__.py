"""Rozetka: orders of a seller on the marketplace."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.orders import PolledShopSettings
from services.connectors.rozetka.poll import POLL

PROOF = ApiKey("the seller's user name and password at seller.rozetka.com.ua, with a colon between them.")
CONNECTOR = Connector("rozetka", "facts", None, "Orders of a seller on Rozetka", PROOF, PolledShopSettings, poll=POLL)
