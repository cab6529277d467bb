"""Web forms of any site or form builder."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.form.signatures import Settings
from services.connectors.form.webhook import WEBHOOK

CONNECTOR = Connector(
    "form",
    "forms",
    WEBHOOK,
    "Forms of any website or form builder",
    UnguessableAddress("only for a form builder that signs: the secret that it signs with."),
    Settings,
)
