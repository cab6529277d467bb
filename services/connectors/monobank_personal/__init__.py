"""monobank personal and sole-trader accounts: statements."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.monobank_personal.webhook import WEBHOOK, Settings

CONNECTOR = Connector(
    "monobank-personal",
    "banking",
    WEBHOOK,
    "Statements of personal and sole-trader accounts at monobank",
    UnguessableAddress(),
    Settings,
)
