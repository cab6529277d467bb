"""WooCommerce: orders of a shop on WordPress."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.woocommerce.activate import ACTIVATION
from services.connectors.woocommerce.poll import POLL
from services.connectors.woocommerce.webhook import WEBHOOK, Settings

PROOF = Signature("the Secret of the webhook, in WordPress under WooCommerce, Settings, Advanced, Webhooks.")
CONNECTOR = Connector(
    "woocommerce", "facts", WEBHOOK, "Orders of a WooCommerce shop", PROOF, Settings, activation=ACTIVATION, poll=POLL
)
