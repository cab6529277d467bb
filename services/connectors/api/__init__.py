"""The open API: clients that send facts to /facts themselves."""

from crm.connector import Connector
from crm.connector_proofs import AccessToken

CONNECTOR = Connector("api", "facts", title="Facts that your own programs send", proof=AccessToken())
