"""Tilda: a form or a cart that was sent (https://help.tilda.cc/forms/webhook)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from crm.errors import Malformed, Refused
from services.connectors.formats.bodies import Body, read_body
from services.connectors.formats.exact_json import Tree
from services.connectors.formats.values import text
from services.connectors.submissions.reports import Sent, kept, submitted
from services.connectors.submissions.settings import SECRET_HEADERS, TOKEN_HEADER, FormSettings
from services.connectors.submissions.shapes import flat


class Settings(FormSettings, frozen=True, gc=False):
    """The settings of a connection to a site of Tilda."""

    api_key: Annotated[
        str, Meta(description="The API key of the webhook at Tilda, which is named X-Form-Token there. Empty: none.")
    ] = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the API key where the settings have one: Tilda sends it as a header or as a field of the form."""
    if key := connection.settings_as(Settings).api_key:
        expect_equal(key, delivery.headers.get(TOKEN_HEADER) or _key_in(delivery), "API key")


def _key_in(delivery: Delivery) -> str:
    try:
        tree = read_body(delivery).tree
    except Malformed as error:
        raise Refused(f"{error} So there is no API key. Nothing was kept.") from None
    return next((text(tree, name) for name in tree if name.lower() == TOKEN_HEADER), "")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    tree: Tree = {name: value for name, value in body.tree.items() if name.lower() != TOKEN_HEADER}
    if tree == {"test": "test"}:  # asked when the webhook is added: whether somebody listens
        yield kept("test", delivery, connection)
        return
    ids = (("tranid", text(tree, "tranid")), ("order", text(tree, "payment", "orderid")))
    key = next((f"{kind}/{id}" for kind, id in ids if id), "")
    yield from submitted(Body(tree, body.files, body.damage), Sent(flat(tree), key), delivery, connection)


WEBHOOK = Webhook(verify, parse, secret_headers=SECRET_HEADERS)
