"""The settings of a connection to Mailgun."""

from typing import Annotated, Literal

from msgspec import Meta

from services.connectors.mails.people import SendingSettings


class Settings(SendingSettings, frozen=True, gc=False):
    """The settings of a connection to a domain."""

    region: Annotated[Literal["us", "eu"], Meta(description="Where the domain is: answers are sent there.")] = "us"
