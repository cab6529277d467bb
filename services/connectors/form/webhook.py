"""Any web form, from any site or form builder: its sender is recognised, everything else is kept."""

from collections.abc import Iterator
from itertools import chain

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.form.notices import notice_of
from services.connectors.form.signatures import verify
from services.connectors.formats.bodies import Body, read_body, with_inner_json
from services.connectors.submissions.answers import NEXT, answer
from services.connectors.submissions.layouts import entries_of
from services.connectors.submissions.reports import Sent, kept, submitted
from services.connectors.submissions.settings import SECRET_HEADERS
from services.connectors.submissions.shapes import forms_in


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    tree = with_inner_json(body.tree) if b'\\"' in delivery.body else body.tree  # JSON as text in JSON
    trees = forms_in(tree)
    if len(trees) == 1:
        return _form(body._replace(tree=trees[0]) if trees[0] is not body.tree else body, delivery, connection)
    return chain.from_iterable(_form(body._replace(tree=tree), delivery, connection) for tree in trees)


def _form(body: Body, delivery: Delivery, connection: Connection) -> Iterator[Report]:
    if notice := notice_of(body.tree):
        yield kept(notice, delivery, connection)
        return
    entries = [entry for entry in entries_of(body.tree) if entry.name != NEXT]
    yield from submitted(body, Sent(entries), delivery, connection)


WEBHOOK = Webhook(verify, parse, answer, secret_headers=SECRET_HEADERS)
