"""Twilio: telephone calls."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.twilio.activate import ACTIVATION
from services.connectors.twilio.files import FILES
from services.connectors.twilio.webhook import WEBHOOK, Settings

PROOF = Signature("the auth token of the account, at console.twilio.com under Account Info.")
CONNECTOR = Connector("twilio", "calls", WEBHOOK, "Telephone calls of Twilio", PROOF, Settings, ACTIVATION, files=FILES)
