"""Gmail: mailboxes of Gmail and Google Workspace."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.gmail.webhook import WEBHOOK, Settings

TITLE = "Mails of a mailbox at Gmail or Google Workspace"
CONNECTOR = Connector("gmail", "chats", WEBHOOK, TITLE, UnguessableAddress(), Settings)
