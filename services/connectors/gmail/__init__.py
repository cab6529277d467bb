"""Gmail: mailboxes of Gmail and Google Workspace."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.gmail.poll import POLL
from services.connectors.gmail.webhook import WEBHOOK, Settings
from services.connectors.google_oauth import google

TITLE = "Mails of a mailbox at Gmail or Google Workspace"
OAUTH = google("gmail.readonly")
CONNECTOR = Connector("gmail", "chats", WEBHOOK, TITLE, UnguessableAddress(), Settings, poll=POLL, oauth=OAUTH)
