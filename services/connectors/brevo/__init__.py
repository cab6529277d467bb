"""Brevo: mails that come in."""

from crm.connector import Connector
from services.connectors.brevo.webhook import WEBHOOK
from services.connectors.mails.people import MailSettings
from services.connectors.signatures.basic import PASSWORD

CONNECTOR = Connector("brevo", "chats", WEBHOOK, "Mails that Brevo receives", PASSWORD, MailSettings)
