"""monobank personal and sole-trader accounts: statements."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.monobank_personal.activate import ACTIVATION
from services.connectors.monobank_personal.poll import POLL
from services.connectors.monobank_personal.webhook import WEBHOOK, Settings

TITLE = "Statements of personal and sole-trader accounts at monobank"
CONNECTOR = Connector("monobank-personal", "banking", WEBHOOK, TITLE, UnguessableAddress(), Settings, ACTIVATION, POLL)
