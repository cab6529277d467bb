"""Any web form, from any site or form builder: what is known of its sender is recognised, all else is kept."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Connection, Connector, Delivery, Report
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from services.connectors.bodies import read_body
from services.connectors.exact_json import Tree
from services.connectors.form_proofs import verify
from services.connectors.repeats import key_of
from services.connectors.shapes import entries_of
from services.connectors.submission import MOST_KEPT, Submission, honeypots
from services.connectors.values import first, text


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    entries = entries_of(body.tree)
    key, at = key_of(body, delivery.received_at), delivery.received_at
    if notice := not_a_submission(body.tree):
        yield Report(f"{notice}/{key}", "", at, partial(DeliveryKept, connector="form", kind=notice))
        return
    settings = connection.settings
    told = Submission(settings.get("country", "UA"), honeypots(settings.get("honeypot", "")))
    told.take_all(entries)
    amount_minor, currency = told.amount(settings.get("currency", "UAH"))
    sender = next((phone.e164 for phone in told.phones.values() if phone.e164), next(iter(told.emails), key))
    submitted = partial(
        FormSubmitted,
        form=told.texts.get("form_id") or told.texts.get("form_name", ""),
        page=told.texts.get("page") or delivery.headers.get("referer", ""),
        name=told.name,
        phones=tuple(told.phones.values()),
        emails=tuple(told.emails),
        utm=told.utm,
        fields=told.fields,
        files=body.files,
        amount_minor=amount_minor,
        currency=currency,
        reference=told.texts.get("reference", ""),
        suspicious=told.suspicious,
    )
    yield Report(key, sender, at, submitted)
    if told.dropped:
        reason = f"The form has {told.dropped} fields above the {MOST_KEPT} that were kept; all are in its raw bytes."
        yield Report(f"rest/{key}", sender, at, partial(DeliveryQuarantined, connector="form", reason=reason))


def not_a_submission(tree: Tree) -> str:
    """The kind of what comes to a form's address without being one; empty if it is one."""
    if tree == {"test": "test"}:
        return "tilda test"  # Tilda asks so whether somebody listens
    if text(tree, "attributes", "formId") or text(tree, "message", "attributes", "formId"):
        notice = first(tree.get("attributes") or tree.get("message"), "eventType") or "notice"
        return f"google forms {notice}"  # a Pub/Sub notice: the answers are to be fetched
    return ""


CONNECTOR = Connector("form", "forms", verify, parse, secret_headers=frozenset(("x-form-token",)))
