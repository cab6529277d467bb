"""The settings that connections to forms share, and the token that a form may have to send."""

from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, expect_equal
from crm.connector_settings import Country, Currency

TOKEN_HEADER = "x-form-token"
SECRET_HEADERS = frozenset((TOKEN_HEADER,))  # not kept
Honeypot = Annotated[
    str,
    Meta(
        description="Names of fields that people do not see, separated by commas: a form that fills one in is "
        "marked as suspicious.",
        examples=["website_url"],
    ),
]
Token = Annotated[
    str, Meta(description="A text that each form must send in the header X-Form-Token or as a bearer token.")
]


class FormSettings(Struct, frozen=True, gc=False):
    """The settings of a connection to a site's forms."""

    country: Country = ""
    currency: Currency = ""
    honeypot: Honeypot = ""


class PageSettings(FormSettings, frozen=True, gc=False):
    """The same for forms that a browser posts itself: its answer is a page."""

    redirect_hosts: Annotated[
        str,
        Meta(
            description="Hosts to which the field `_next` of a form may send its sender, separated by commas. Empty: "
            "the sender sees a page that says thank you.",
            examples=["www.example.com"],
        ),
    ] = ""


class TokenSettings(FormSettings, frozen=True, gc=False):
    """The same for a vendor that can send a header of one's own."""

    token: Token = ""


def verify_token(delivery: Delivery, connection: Connection) -> None:
    """Checks the token where the settings ask for one. Raises Refused."""
    if token := connection.settings_as(TokenSettings).token:
        bearer = delivery.headers.get("authorization", "").removeprefix("Bearer ")
        expect_equal(token, delivery.headers.get(TOKEN_HEADER, bearer), "token")
