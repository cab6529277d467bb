"""Google Forms: a response, sent by the Apps Script of README.md or by one of the usual scripts of a sheet
(https://developers.google.com/apps-script/guides/triggers/events#google_forms_events)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook
from crm.connector_settings import Since
from services.connectors.formats.bodies import read_body
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import at, text
from services.connectors.submissions.layouts import entries_of
from services.connectors.submissions.reports import Sent, kept, submitted
from services.connectors.submissions.settings import SECRET_HEADERS, TokenSettings, verify_token


class Settings(TokenSettings, frozen=True, gc=False):
    """The settings of a connection to a form."""

    form: Annotated[
        str,
        Meta(
            description="The form's id, from the address at which you edit it: .../forms/d/ID/edit.",
            extra={"pattern": r"[\w-]+"},
        ),
    ] = ""
    oauth: Annotated[
        str,
        Meta(
            description="Three parts with colons between them: the id and the secret of an OAuth client of Google's, "
            "and a refresh token with the scopes forms.body.readonly and forms.responses.readonly. With it Potik asks "
            "for the responses, and no script is needed."
        ),
    ] = ""
    since: Since = ""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    # A notice of the Forms API by Pub/Sub, alone or in its envelope. It holds no answers.
    notice = at(body.tree, "message", "attributes") or at(body.tree, "attributes")
    if text(notice, "formId"):
        yield kept(f"{text(notice, 'eventType') or 'unknown'} notice", delivery, connection)
        return
    response, written = text(body.tree, "responseId"), text(body.tree, "timestamp")
    key = f"response/{response}/{written}" if response else ""  # a response that was edited is sent again
    yield from submitted(body, Sent(entries_of(body.tree), key, iso_or_none(written)), delivery, connection)


WEBHOOK = Webhook(verify_token, parse, secret_headers=SECRET_HEADERS)
