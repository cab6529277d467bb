"""Signatures of form builders; a form that nobody signs is authenticated by its unguessable URL alone."""

from typing import Annotated, Literal

from msgspec import Meta

from crm.connector import Connection, Delivery, expect_equal
from services.connectors.signatures.hmac_sha256 import base64_signature, verify_timed
from services.connectors.signatures.php_json import signed_bytes
from services.connectors.submissions.settings import PageSettings, Token, verify_token


class Settings(PageSettings, frozen=True, gc=False):
    """The settings of a connection to a site's forms."""

    token: Token = ""
    signed: Annotated[
        Literal["", "wpforms", "typeform"],
        Meta(description="The form builder that signs with the connection's secret. Empty: nothing is signed."),
    ] = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the token and the form builder's signature where the settings ask for them. Raises Refused."""
    verify_token(delivery, connection)
    match connection.settings_as(Settings).signed:
        case "wpforms":
            verify_timed(delivery, connection.secret, "x-wpforms-webhook-signature", signed_bytes(delivery))
        case "typeform":
            signature = delivery.headers.get("typeform-signature", "")
            expect_equal(base64_signature(delivery.body, connection.secret), signature)
