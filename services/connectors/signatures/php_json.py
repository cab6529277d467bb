"""The bytes that WordPress signs: it writes the fields as JSON, also where it then sends them as a form."""

import json

from crm.connector import Delivery
from crm.errors import Malformed
from services.connectors.formats.bodies import URLENCODED, kind_of, read_body


def signed_bytes(delivery: Delivery) -> bytes:
    """Returns the body, and for a form the JSON of `wp_json_encode`: no spaces, slashes and other letters escaped."""
    if kind_of(delivery.content_type).media != URLENCODED:
        return delivery.body
    try:
        tree = read_body(delivery, as_sent=True).tree
    except Malformed:
        return delivery.body
    return json.dumps(tree, separators=(",", ":"), default=str).replace("/", "\\/").encode()
