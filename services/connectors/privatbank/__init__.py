"""PrivatBank for business: statements by Autoclient."""

from crm.connector import Connector
from crm.connector_proofs import ApiKey
from services.connectors.privatbank.poll import POLL, Settings, proven_by

PROOF = ApiKey("the token of Autoclient, in Privat24 for Business under Accounting, Integration, Autoclient.")
TITLE = "Statements of business accounts at PrivatBank"
CONNECTOR = Connector("privatbank", "banking", None, TITLE, PROOF, Settings, poll=POLL, proven_by=proven_by)
