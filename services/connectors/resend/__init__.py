"""Resend: mails that come in."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.resend.poll import POLL
from services.connectors.resend.send import SEND
from services.connectors.resend.webhook import WEBHOOK, Settings

PROOF = Signature("the signing secret: resend.com, Webhooks, your webhook. It begins with whsec_.", r"whsec_[\w+/=-]+")
CONNECTOR = Connector("resend", "chats", WEBHOOK, "Mails that Resend receives", PROOF, Settings, poll=POLL, send=SEND)
