"""Any web form, from any site or form builder: its sender is recognised, everything else is kept."""

from collections.abc import Iterator
from functools import partial
from itertools import chain

from crm.connector import Connection, Delivery, Report, Webhook, country_of, currency_of_connection, digest
from crm.errors import Malformed
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from services.connectors.form.answers import NEXT, answer
from services.connectors.form.builders import entries_of, is_order
from services.connectors.form.deal_amount import deal_amount
from services.connectors.form.empty_forms import notice_of, why_empty
from services.connectors.form.honeypots import honeypots_named
from services.connectors.form.identifiers import Identifiers
from services.connectors.form.repeats import digest_of, key_of
from services.connectors.form.shapes import forms_in
from services.connectors.form.signatures import Settings, verify
from services.connectors.form.submission import MOST_KEPT, Submission
from services.connectors.formats.bodies import Body, read_body, with_inner_json
from services.connectors.repeats import WINDOW


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    tree = with_inner_json(body.tree) if b'\\"' in delivery.body else body.tree  # JSON as text in JSON
    trees = forms_in(tree)
    if len(trees) == 1:
        return _form(body._replace(tree=trees[0]) if trees[0] is not body.tree else body, delivery, connection)
    return chain.from_iterable(_form(body._replace(tree=tree), delivery, connection) for tree in trees)


def _form(body: Body, delivery: Delivery, connection: Connection) -> Iterator[Report]:
    at = delivery.received_at
    if notice := notice_of(body.tree):
        yield _kept(notice, delivery)
        return
    entries = [entry for entry in entries_of(body.tree) if entry.name != NEXT]
    honeypots = honeypots_named(connection.settings_as(Settings).honeypot)
    submission = Submission(Identifiers(country_of(connection)), honeypots, is_order(body.tree))
    submission.read_all(entries)
    if body.damage:
        submission.identifiers.doubt(body.damage)
    if why := why_empty(submission, entries, body):
        if body.damage:
            raise Malformed(f"{body.damage} Nobody is in that part.")
        yield _kept(why, delivery)
        return
    page = submission.texts.get("page") or delivery.headers.get("referer", "")
    value = deal_amount(
        submission.sums,
        submission.texts,
        currency_of_connection(connection),
        submission.is_order,
        submission.in_smallest_units,
    )
    content = digest_of(body, submission, page, at)
    key = key_of(body, entries, submission, content, at)
    sender = next(
        (phone.e164 for phone in submission.identifiers.phones.values() if phone.e164),
        next(iter(submission.identifiers.emails), key),
    )
    submitted = partial(
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
        suspicious=submission.suspicious,
        doubts=tuple(filter(None, (body.damage, *submission.identifiers.doubts, value.doubt))),
        digest=content,
    )
    yield Report(key, sender, at, submitted)
    if submission.dropped:
        dropped = submission.dropped
        reason = f"The form has {dropped} fields above the {MOST_KEPT} that were kept; all are in its raw bytes."
        yield Report(f"rest/{key}", sender, at, partial(DeliveryQuarantined, connector="form", reason=reason))


def _kept(kind: str, delivery: Delivery) -> Report:
    """Returns a report with the bytes as its key, so that a second click is counted once."""
    key = f"{kind}/{digest(delivery.body)}/{delivery.received_at // WINDOW}"
    return Report(key, "", delivery.received_at, partial(DeliveryKept, connector="form", kind=kind))


WEBHOOK = Webhook(verify, parse, answer, secret_headers=frozenset(("x-form-token",)))
