"""Any web form, from any site or form builder: what is known of its sender is recognised, all else is kept."""

from collections.abc import Iterator
from functools import partial
from itertools import chain

from crm.connector import Connection, Connector, Delivery, Report, country_of, currency_of_connection, digest
from crm.errors import Malformed
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from services.connectors.form.builders import entries_of, is_order
from services.connectors.form.nobody import emptiness_of, notice_of
from services.connectors.form.proofs import verify
from services.connectors.form.repeats import WINDOW, digest_of, key_of
from services.connectors.form.shapes import forms_in
from services.connectors.form.submission import MOST_KEPT, Submission
from services.connectors.form.traps import named
from services.connectors.form.ways import Ways
from services.connectors.form.worth import worth
from services.connectors.formats.bodies import Body, opened, read_body


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    tree = opened(body.tree) if b'\\"' in delivery.body else body.tree  # JSON as text in JSON
    trees = forms_in(tree)
    if len(trees) == 1:
        return _form(body._replace(tree=trees[0]) if trees[0] is not body.tree else body, delivery, connection)
    return chain.from_iterable(_form(body._replace(tree=tree), delivery, connection) for tree in trees)


def _form(body: Body, delivery: Delivery, connection: Connection) -> Iterator[Report]:
    at = delivery.received_at
    if notice := notice_of(body.tree):
        yield _kept(notice, delivery)
        return
    entries = entries_of(body.tree)
    traps = named(connection.settings.get("honeypot", ""))
    said = Submission(Ways(country_of(connection)), traps, is_order(body.tree))
    said.take_all(entries)
    if body.damage:
        said.ways.doubt(body.damage)
    if why := emptiness_of(said, entries, body):
        if body.damage:
            raise Malformed(f"{body.damage} Nobody is in that part.")
        yield _kept(why, delivery)
        return
    page = said.texts.get("page") or delivery.headers.get("referer", "")
    value = worth(said.sums, said.texts, currency_of_connection(connection), said.is_order, said.in_smallest_units)
    content = digest_of(body, said, page, at)
    key = key_of(body, entries, said, content, at)
    sender = next((phone.e164 for phone in said.ways.phones.values() if phone.e164), next(iter(said.ways.emails), key))
    submitted = partial(
        FormSubmitted,
        form=said.texts.get("form_id") or said.texts.get("form_name", ""),
        page=page,
        name=said.name,
        phones=tuple(said.ways.phones.values()),
        emails=tuple(said.ways.emails),
        utm=said.utm,
        fields=said.fields,
        files=body.files,
        amount_minor=value.minor,
        currency=value.currency,
        reference=said.texts.get("reference", ""),
        suspicious=said.suspicious,
        doubts=tuple(filter(None, (body.damage, *said.ways.doubts, value.doubt))),
        digest=content,
    )
    yield Report(key, sender, at, submitted)
    if said.dropped:
        reason = f"The form has {said.dropped} fields above the {MOST_KEPT} that were kept; all are in its raw bytes."
        yield Report(f"rest/{key}", sender, at, partial(DeliveryQuarantined, connector="form", reason=reason))


def _kept(kind: str, delivery: Delivery) -> Report:
    """Known by its bytes, so that a second click is counted once."""
    key = f"{kind}/{digest(delivery.body)}/{delivery.received_at // WINDOW}"
    return Report(key, "", delivery.received_at, partial(DeliveryKept, connector="form", kind=kind))


CONNECTOR = Connector("form", "forms", verify, parse, secret_headers=frozenset(("x-form-token",)))
