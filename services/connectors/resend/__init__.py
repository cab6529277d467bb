"""Resend: mails that come in."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.mails.people import MailSettings
from services.connectors.resend.webhook import WEBHOOK

PROOF = Signature("the signing secret: resend.com, Webhooks, your webhook. It begins with whsec_.", r"whsec_[\w+/=-]+")
CONNECTOR = Connector("resend", "chats", WEBHOOK, "Mails that Resend receives", PROOF, MailSettings)
