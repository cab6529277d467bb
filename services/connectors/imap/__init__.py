"""IMAP: mails of any mailbox, asked for."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.imap.poll import POLL, Settings
from services.connectors.imap.send import SEND

PROOF = ApiKey("the password of the mailbox; where its provider has app passwords, one of those, made for Potik alone.")
CONNECTOR = Connector("imap", "chats", None, "Mails of any mailbox by IMAP", PROOF, Settings, poll=POLL, send=SEND)
