"""Brevo: a mail's file by its token (https://developers.brevo.com/reference/getinboundemailattachment)."""

from typing import Annotated

from msgspec import Meta

from crm.connector_files import Files
from services.connectors.mails.people import AnswerSettings

ApiKey = Annotated[
    str,
    Meta(
        description="An API key of the account: answers are sent and the files of mails are fetched with it.",
        examples=["xkeysib-..."],
    ),
]


class Settings(AnswerSettings, frozen=True, gc=False):
    """The settings of a connection to an account."""

    api_key: ApiKey = ""


FILES = Files(
    needs=("api_key",),
    look_up="https://api.brevo.com/v3/inbound/attachments/{ref}",
    headers={"api-key": "{api_key}"},
)
