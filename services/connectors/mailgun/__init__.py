"""Mailgun: mails that come in."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.mailgun.webhook import WEBHOOK
from services.connectors.mails.packed import repacked
from services.connectors.mails.people import MailSettings

PROOF = Signature("the HTTP webhook signing key: app.mailgun.com, Settings, API Security.")
CONNECTOR = Connector("mailgun", "chats", WEBHOOK, "Mails that Mailgun receives", PROOF, MailSettings, parts=repacked)
