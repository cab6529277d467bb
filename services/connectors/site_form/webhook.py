"""Forms that the script /form.js sends: docs/widget.md.

Everybody may know the address, so nothing proves anything: what is suspicious is kept and says so. The script's own
fields are `_key`, the same for each repeat, `_age`, the seconds since its sender pressed the button, and `_took`, the
milliseconds that it took to fill it in.
"""

from collections.abc import Iterator

import msgspec

from crm.connector import RATE, Answer, Connection, Delivery, Report, Webhook, digest
from crm.errors import Malformed
from crm.scalars import Micros
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, encode
from services.connectors.formats.values import text, whole
from services.connectors.site_form.settings import Settings
from services.connectors.submissions.answers import NEXT, answer
from services.connectors.submissions.layouts import entries_of
from services.connectors.submissions.reports import Sent, submitted

OWN = frozenset(("_key", "_age", "_took", NEXT))
LONGEST_AGE = 31 * 86_400  # seconds; the script keeps a form for thirty days
SHOWN = ("fields", "title", "button", "thanks")


def verify(delivery: Delivery, connection: Connection) -> None:
    """Lets everybody send: the address is public."""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    own, came = body.tree, delivery.received_at
    body = body._replace(tree={name: value for name, value in own.items() if name not in OWN})
    entries = entries_of(body.tree)
    age = _number(own, "_age")
    sent_at = Micros(came - min(age, LONGEST_AGE) * 1_000_000) if age else None
    why = suspicion(delivery, connection.settings_as(Settings), _number(own, "_took"))
    key = text(own, "_key")
    if key:  # another form under the same key is another form
        key = f"{key[:100]}/{digest(encode(body.tree).encode())}"
    yield from submitted(body, Sent(entries, key, sent_at, why), delivery, connection)


def suspicion(delivery: Delivery, settings: Settings, took: int | None) -> str:
    """Returns why a form looks like a robot's; empty when it does not. `took`: milliseconds."""
    origin = delivery.headers.get("origin", "")
    allowed = [one.strip().rstrip("/").lower() for one in settings.origins.split(",") if one.strip()]
    if allowed and origin.lower() not in allowed:
        return f"It came from {origin[:200] or 'no page'}, which is not among the origins of the connection."
    if took is not None and took < settings.min_seconds * 1_000:
        return f"It was filled in within {took / 1_000:.1f} s."
    sent = delivery.headers.get(RATE, "")
    if sent.isdecimal() and int(sent) > settings.most_a_minute:
        return f"Its sender's address sent {sent} forms within a minute."
    return ""


def _number(tree: Tree, name: str) -> int | None:
    try:
        found = whole(tree, name)
    except Malformed:
        return None
    return found if found is not None and found >= 0 else None


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    """Tells the script what to show."""
    if delivery.method != "GET":
        return None
    shown = {name: value for name in SHOWN if (value := connection.settings.get(name, "").strip())}
    return Answer(200, msgspec.json.encode(shown), "application/json")


WEBHOOK = Webhook(verify, parse, answer, handshake=handshake, public=True)
