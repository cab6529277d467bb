"""Gravity Forms: an entry (https://docs.gravityforms.com/entry-object/), sent by its Webhooks add-on."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook
from services.connectors.formats.bodies import read_body
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import text
from services.connectors.submissions.layouts import is_numbered, numbered_fields
from services.connectors.submissions.reports import Sent, submitted
from services.connectors.submissions.settings import SECRET_HEADERS, TokenSettings, verify_token


class Settings(TokenSettings, frozen=True, gc=False):
    """The settings of a connection to a site's forms."""

    labels: Annotated[
        str,
        Meta(
            description="What the fields of an entry ask for, by their numbers, which is all that an entry names them "
            "by. Separated by semicolons.",
            examples=["2=Phone; 3=Message"],
        ),
    ] = ""


@lru_cache(maxsize=1_024)
def labels_in(setting: str) -> dict[str, str]:
    """Returns the labels by the numbers of their fields."""
    pairs = (part.partition("=")[::2] for part in setting.split(";"))
    return {number.strip(): label.strip() for number, label in pairs if label.strip()}


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    form, id, created = (text(body.tree, name) for name in ("form_id", "id", "date_created"))
    # A site that was set up again counts from 1 again. Without these it is a body of fields that its owner chose.
    key = f"entry/{form}/{id}/{created}" if is_numbered(body.tree) else ""
    entries = numbered_fields(body.tree, labels_in(connection.settings_as(Settings).labels))
    filled = (entry for entry in entries if entry.value not in ("", None))
    yield from submitted(body, Sent(filled, key, iso_or_none(created)), delivery, connection)


WEBHOOK = Webhook(verify_token, parse, secret_headers=SECRET_HEADERS)
