"""The settings of a connection to a page's lead ads."""

from typing import Annotated

from msgspec import Meta, Struct

from crm.connector_settings import Country
from services.connectors.meta_activation import AppId, Token


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a page's lead ads."""

    verify_token: Annotated[
        str, Meta(description="The Verify Token that you type at Meta when you subscribe the URL: any text.")
    ] = ""
    relay_token: Annotated[
        str,
        Meta(
            description="A text that a relay such as Zapier sends with each lead, in the header X-Form-Token or as "
            "`token` in the URL. With it, notices of Meta are only kept: their leads come from the relay."
        ),
    ] = ""
    app_id: AppId = ""
    token: Token = ""
    country: Country = ""
