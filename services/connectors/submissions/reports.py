"""Turns a form that came in into facts: its sender is recognised, everything else is kept."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from crm.connector import Connection, Delivery, Report, country_of, currency_of_connection, digest
from crm.errors import Malformed
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from crm.scalars import Micros
from services.connectors.formats.bodies import Body
from services.connectors.repeats import WINDOW
from services.connectors.submissions.deal_amount import deal_amount
from services.connectors.submissions.empty_forms import why_empty
from services.connectors.submissions.honeypots import honeypots_named
from services.connectors.submissions.identifiers import Identifiers
from services.connectors.submissions.layouts import is_order, listed
from services.connectors.submissions.repeats import digest_of, key_of
from services.connectors.submissions.settings import FormSettings
from services.connectors.submissions.shapes import Entry
from services.connectors.submissions.submission import MOST_KEPT, Submission


class Sent(NamedTuple):
    """One submission as its vendor's format says it.

    `key` is the vendor's own id of it; without one it is known by what it says, within ten minutes. `at` is when it was
    sent; None: when it came in. `suspicious`: why it looks like a robot's.
    """

    entries: Iterable[Entry]
    key: str = ""
    at: Micros | None = None
    suspicious: str = ""


def submitted(body: Body, sent: Sent, delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields what a form reports. Raises Malformed for one with too many fields, and for a
    damaged one with nobody in what came whole."""
    entries, came = listed(sent.entries), delivery.received_at
    honeypots = honeypots_named(connection.settings_as(FormSettings).honeypot)
    submission = Submission(Identifiers(country_of(connection)), honeypots, is_order(body.tree))
    submission.read_all(entries)
    if body.damage:
        submission.identifiers.doubt(body.damage)
    if why := why_empty(submission, entries, body):
        if body.damage:
            raise Malformed(f"{body.damage} Nobody is in that part.")
        yield kept(why, delivery, connection)
        return
    page = submission.texts.get("page") or delivery.headers.get("referer", "")
    value = deal_amount(
        submission.sums,
        submission.texts,
        currency_of_connection(connection),
        submission.is_order,
        submission.in_smallest_units,
    )
    content = digest_of(body, submission, page, came)
    key = sent.key or key_of(body, entries, submission, content, came)
    sender = next(
        (phone.e164 for phone in submission.identifiers.phones.values() if phone.e164),
        next(iter(submission.identifiers.emails), key),
    )
    fact = partial(
        FormSubmitted,
        form=submission.texts.get("form_id") or submission.texts.get("form_name", ""),
        page=page,
        name=submission.name,
        phones=tuple(submission.identifiers.phones.values()),
        emails=tuple(submission.identifiers.emails),
        utm=submission.utm,
        fields=submission.fields,
        files=body.files,
        amount_minor=value.minor,
        currency=value.currency,
        reference=submission.texts.get("reference", ""),
        suspicious=submission.suspicious or sent.suspicious,
        doubts=tuple(filter(None, (body.damage, *submission.identifiers.doubts, value.doubt))),
        digest=content,
    )
    yield Report(key, sender, came if sent.at is None else min(sent.at, came), fact)
    if dropped := submission.dropped:
        reason = f"The form has {dropped} fields above the {MOST_KEPT} that were kept; all are in its raw bytes."
        rest = partial(DeliveryQuarantined, connector=connection.connector, reason=reason)
        yield Report(f"rest/{key}", sender, came, rest)


def kept(kind: str, delivery: Delivery, connection: Connection) -> Report:
    """Returns a report of no form, with the bytes as its key, so that a second click is counted once."""
    key = f"{kind}/{digest(delivery.body)}/{delivery.received_at // WINDOW}"
    return Report(key, "", delivery.received_at, partial(DeliveryKept, connector=connection.connector, kind=kind))
