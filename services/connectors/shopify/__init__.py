"""Shopify: orders of a shop."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.shopify.activate import ACTIVATION
from services.connectors.shopify.poll import POLL
from services.connectors.shopify.webhook import WEBHOOK, Settings

PROOF = Signature(
    "the key under the webhooks in the shop's Settings, Notifications, Webhooks; or the client secret of your app."
)
CONNECTOR = Connector(
    "shopify", "facts", WEBHOOK, "Orders of a Shopify shop", PROOF, Settings, activation=ACTIVATION, poll=POLL
)
