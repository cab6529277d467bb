"""Mailgun: mails that come in."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.mailgun.send import SEND
from services.connectors.mailgun.settings import Settings
from services.connectors.mailgun.webhook import WEBHOOK
from services.connectors.mails.packed import repacked

PROOF = Signature("the HTTP webhook signing key: app.mailgun.com, Settings, API Security.")
TITLE = "Mails that Mailgun receives"
CONNECTOR = Connector("mailgun", "chats", WEBHOOK, TITLE, PROOF, Settings, parts=repacked, send=SEND)
