"""WPForms: the fields that its Webhooks add-on was set to send (https://wpforms.com/docs/webhooks-addon/)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Value
from services.connectors.signatures.hmac_sha256 import signed_at, verify_timed
from services.connectors.signatures.php_json import signed_bytes
from services.connectors.submissions.reports import Sent, submitted
from services.connectors.submissions.shapes import flat

SIGNATURE = "x-wpforms-webhook-signature"


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks `t=<unix>,v=<hex HMAC-SHA256 of "{t}.{fields as JSON}">` and its time."""
    verify_timed(delivery, connection.secret, SIGNATURE, signed_bytes(delivery))


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    body = body._replace(tree={name: _plain(value) for name, value in body.tree.items()})
    sent_at = signed_at(delivery.headers.get(SIGNATURE, ""))
    yield from submitted(body, Sent(flat(body.tree), at=sent_at), delivery, connection)


def _plain(value: Value) -> Value:
    """Several choices are joined with two bars, and a day is {value, unix}, of which a person chose the value."""
    if isinstance(value, str) and "||" in value:
        return [*value.split("||")]
    return value["value"] if isinstance(value, dict) and value.keys() == {"value", "unix"} else value


WEBHOOK = Webhook(verify, parse)
