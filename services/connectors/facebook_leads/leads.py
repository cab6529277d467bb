"""What a notice of a lead says, and the lead itself as the Graph API gives it or as a relay flattens it."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Connection, Delivery, Report
from crm.errors import Malformed
from crm.facts import DeliveryKept, FormSubmitted
from crm.scalars import Micros
from services.connectors.facebook_leads.settings import Settings
from services.connectors.formats.exact_json import Tree, encode
from services.connectors.formats.times import from_seconds, iso_or_none
from services.connectors.formats.values import first, records, required, text, whole_or_none
from services.connectors.submissions.reports import Sent
from services.connectors.submissions.shapes import Entry, flat, technical_field

LEAD = "leadgen"
ONLY_IDS = (
    "Facebook reports that this lead came in, and not who it is. "
    "Look it up by its id in Meta Business Suite, Leads Centre."
)


def reports_of_notice(tree: Tree, delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields a report of each change on a page. Raises Malformed for a lead without its id."""
    for entry in records(tree, "entry"):
        for change in records(entry, "changes"):
            value = change.get("value")
            if text(change, "field") == LEAD and isinstance(value, dict):
                yield _noticed(value, delivery, connection)
            else:
                kind = text(change, "field") or "unknown"
                key = f"{kind}/{text(entry, 'id')}/{text(entry, 'time')}/{encode(value)}"
                kept = partial(DeliveryKept, connector=connection.connector, kind=kind)
                yield Report(key, "", delivery.received_at, kept)


def _noticed(value: Tree, delivery: Delivery, connection: Connection) -> Report:
    """A lead that nobody will send is somebody who waits: it becomes a deal without a person."""
    id = required(value, "leadgen_id")
    at = _seconds(value, delivery.received_at)
    kind = "test" if set(id) == {"4"} else f"{LEAD} notice"  # 444444444444 is of the button Test at Meta
    if kind == "test" or connection.settings_as(Settings).relay_token:
        return Report(f"notice/{id}", id, at, partial(DeliveryKept, connector=connection.connector, kind=kind))
    fields = {name: encode(item) for name, item in value.items() if name != "form_id"}
    submitted = partial(FormSubmitted, form=text(value, "form_id"), fields=fields, doubts=(ONLY_IDS,))
    return Report(f"notice/{id}", id, at, submitted)


def _seconds(value: Tree, came: Micros) -> Micros:
    seconds = whole_or_none(value, "created_time")
    try:
        return min(from_seconds(seconds), came) if seconds else came
    except Malformed:
        return came


def lead(tree: Tree) -> Sent:
    """Returns a lead of the Graph API, whose answers are in `field_data`, or of a relay, which has them flat."""
    id = first(tree, "leadgen_id", "lead_id", "id")
    key = f"lead/{id}" if id else ""
    return Sent(_entries(tree), key, iso_or_none(text(tree, "created_time")))


def _entries(tree: Tree) -> Iterator[Entry]:
    yield from flat({name: value for name, value in tree.items() if name != "custom_disclaimer_responses"})
    for consent in records(tree, "custom_disclaimer_responses"):
        name = f"consent.{text(consent, 'checkbox_key')}"
        yield Entry(name, consent.get("is_checked"), technical_field(""))
