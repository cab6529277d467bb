"""Records of mod_json_cdr and events of the event socket as one flat tree of channel variables."""

import base64
import binascii
from urllib.parse import unquote

from crm.connector import Delivery
from crm.errors import Malformed
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value, decode_object
from services.connectors.formats.values import at, records, text

EVENT_NAMES = {
    "Unique-ID": "uuid",
    "Channel-Call-UUID": "call_uuid",
    "Call-Direction": "direction",
    "Hangup-Cause": "hangup_cause",
    "Caller-Caller-ID-Number": "caller_id_number",
    "Caller-Destination-Number": "destination_number",
    "Caller-Channel-Created-Time": "start_uepoch",
    "Caller-Channel-Answered-Time": "answer_uepoch",
    "Caller-Channel-Hangup-Time": "end_uepoch",
    "Event-Date-Timestamp": "event_uepoch",
    "Event-Name": "event",
}


def variables_of(delivery: Delivery) -> Tree:
    """Returns what a record or an event says, percent-decoded. Raises Malformed."""
    tree = tree_of(delivery)
    inner = tree.get("cdr")  # encode=true posts a form with one field
    tree = inner if isinstance(inner, dict) else decode_object(inner) if isinstance(inner, str) else tree
    if isinstance(tree.get("variables"), dict):
        return of_record(tree)
    if "Event-Name" in tree:
        return of_event(tree)
    raise Malformed("It is neither a record of mod_json_cdr nor an event: 'variables' is missing.")


def tree_of(delivery: Delivery) -> Tree:
    if "base64" in delivery.content_type:
        try:
            return decode_object(base64.b64decode(delivery.body.removeprefix(b"cdr=")))
        except (binascii.Error, ValueError):
            raise Malformed("Its base64 cannot be read.") from None
    begin = delivery.body.lstrip()[:1]
    if begin == b"{":
        return decode_object(delivery.body)
    if delivery.body.startswith(b"Event-Name:"):
        lines = delivery.body.decode("utf-8", "replace").splitlines()
        return {name: value for line in lines for name, colon, value in [line.partition(": ")] if colon}
    return read_body(delivery).tree


def of_record(tree: Tree) -> Tree:
    """The last profile of the call flow is the first in time: it has the number that was dialled."""
    flow = records(tree, "callflow")
    profile = at(flow[-1], "caller_profile") if flow else None
    return decoded(profile) | {"event": "cdr"} | decoded(tree["variables"])


def of_event(tree: Tree) -> Tree:
    said = decoded(tree)
    named = {name: said[key] for key, name in EVENT_NAMES.items() if key in said}
    return named | {name[9:]: value for name, value in said.items() if name.startswith("variable_")}


def decoded(tree: Value) -> Tree:
    return {name: unquote(text(tree, name)) for name in tree} if isinstance(tree, dict) else {}
