"""FreeSWITCH: call detail records and hang-up events."""

from crm.connector import Connector
from crm.connector_proofs import SharedSecret
from services.connectors.freeswitch.webhook import WEBHOOK, Settings

PROOF = SharedSecret("the password of `cred` in json_cdr.conf.xml, a long random text of your own.")
CONNECTOR = Connector("freeswitch", "calls", WEBHOOK, "Telephone calls of a FreeSWITCH exchange", PROOF, Settings)
