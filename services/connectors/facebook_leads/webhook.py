"""Lead ads: the notice that there is a lead, from Meta itself
(https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving), and the lead, from a relay."""

from collections.abc import Iterator

from crm.connector import Connection, Delivery, Report, Webhook, expect_equal
from crm.errors import Malformed, Refused
from services.connectors.facebook_leads.leads import lead, reports_of_notice
from services.connectors.facebook_leads.settings import Settings
from services.connectors.formats.bodies import read_body
from services.connectors.formats.values import at
from services.connectors.signatures.meta import SIGNATURE, answer_challenge, verify_meta
from services.connectors.submissions.reports import submitted
from services.connectors.submissions.settings import SECRET_HEADERS, TOKEN_HEADER
from services.connectors.submissions.shapes import forms_in

__all__ = ["WEBHOOK", "Settings"]


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks Meta's signature; without one, the token of a relay, which cannot sign."""
    if SIGNATURE in delivery.headers:
        verify_meta(delivery, connection.secret)
        return
    token = connection.settings_as(Settings).relay_token
    if not token:
        raise Refused(f"It has no {SIGNATURE}, and no relay_token is set. Nothing was kept. Set it for a relay.")
    expect_equal(token, delivery.headers.get(TOKEN_HEADER) or delivery.parameters.get("token", ""), "token")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body = read_body(delivery)
    if "entry" in body.tree:
        if body.damage or not isinstance(at(body.tree, "entry"), list):
            raise Malformed(f"{body.damage or 'Its entry is no list.'} Which leads it reports is not certain.")
        yield from reports_of_notice(body.tree, delivery, connection)
        return
    for tree in forms_in(body.tree):
        yield from submitted(body._replace(tree=tree), lead(tree), delivery, connection)


WEBHOOK = Webhook(
    verify,
    parse,
    handshake=lambda delivery, connection: answer_challenge(delivery, connection.settings_as(Settings).verify_token),
    secret_headers=SECRET_HEADERS,
)
