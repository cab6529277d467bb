"""Jotform: a submission (https://www.jotform.com/help/245-how-to-setup-a-webhook-with-jotform/)."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook
from crm.errors import Malformed
from services.connectors.formats.bodies import read_body
from services.connectors.formats.values import text
from services.connectors.submissions.reports import Sent, submitted
from services.connectors.submissions.shapes import flat

# What Jotform's page adds to the answers of a person.
_ITS_OWN = """
    slug jsExecutionTracker submitSource submitDate buildDate uploadServerUrl eventObserver timeToSubmit temp_upload
    file_server preview validatedNewRequiredFieldIDs path event_id
"""
ITS_OWN = frozenset(_ITS_OWN.split())


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    answers = body.tree.get("rawRequest")
    if not isinstance(answers, dict):
        raise Malformed(f"{body.damage or 'It has no rawRequest.'} The answers are not in it.")
    # Nothing else of what is around the answers: it repeats them, or is the connection's own URL.
    tree = {name: value for name, value in answers.items() if name not in ITS_OWN}
    tree |= {name: body.tree[name] for name in ("formID", "formTitle") if name in body.tree}
    id = text(body.tree, "submissionID")
    sent = Sent(flat(tree), f"submission/{id}" if id else "")
    yield from submitted(body._replace(tree=tree), sent, delivery, connection)


WEBHOOK = Webhook(lambda _delivery, _connection: None, parse)  # whose URL is its proof
