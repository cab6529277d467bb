"""The form that one script tag puts on a page, and forms of the page's own that the script sends."""

from crm.connector import Connector
from crm.connector_proofs import UnguessableAddress
from services.connectors.site_form.settings import Settings
from services.connectors.site_form.webhook import WEBHOOK

PROOF = UnguessableAddress("not needed: the connection's id is the public key of the form.")
CONNECTOR = Connector("site-form", "forms", WEBHOOK, "Forms on your own pages, by one script tag", PROOF, Settings)
