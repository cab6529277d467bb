"""Elementor Pro: a form of its widget (https://elementor.com/help/form-widget-webhook/)."""

from collections.abc import Iterable, Iterator

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree
from services.connectors.submissions.layouts import has_titled_fields, titled_fields
from services.connectors.submissions.reports import Sent, submitted
from services.connectors.submissions.shapes import Entry, flat


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    yield from submitted(body, Sent(_entries(body.tree)), delivery, connection)


def _entries(tree: Tree) -> Iterable[Entry]:
    """Advanced data names ids, types and titles; without it each label has its value."""
    return titled_fields(tree) if has_titled_fields(tree) else flat(tree)


WEBHOOK = Webhook(lambda _delivery, _connection: None, parse)  # whose URL is its proof
