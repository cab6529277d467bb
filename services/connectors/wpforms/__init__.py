"""WPForms with its Webhooks add-on."""

from crm.connector import Connector
from crm.connector_proofs import Signature
from services.connectors.submissions.settings import FormSettings
from services.connectors.wpforms.webhook import WEBHOOK

PROOF = Signature("the Secret of the webhook, in WPForms under the form's Settings, Webhooks.")
CONNECTOR = Connector("wpforms", "forms", WEBHOOK, "WPForms on WordPress", PROOF, FormSettings)
