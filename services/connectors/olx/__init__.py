"""OLX: chats with those who answer adverts."""

from crm.activation.declared import OAuth
from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.olx.poll import POLL, Settings

PROOF = ApiKey(
    "three parts with colons between them: the id and the secret of your application at developer.olx.ua, and the "
    "refresh token that it was given for the account.",
    r"[^:]+:[^:]+:[^:]+",
)
OAUTH = OAuth(
    "https://{host}/oauth/authorize/",
    "https://{host}/api/open/oauth/token",
    ("read", "write", "v2"),
    pkce=False,  # the vendor's documents do not have it
)
TITLE = "Chats with those who answer adverts on OLX"
CONNECTOR = Connector("olx", "chats", None, TITLE, PROOF, Settings, poll=POLL, oauth=OAUTH)
