"""Jotform: the webhook of a form, set by an API key (https://api.jotform.com/docs/#form-id-webhooks)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks
from services.connectors.submissions.settings import FormSettings


class Settings(FormSettings, frozen=True, gc=False):
    """The settings of a connection to a form."""

    token: Annotated[
        str,
        Meta(
            description="An API key with full access, under Settings, API: the webhook is set with it.",
            extra={"pattern": "[A-Za-z0-9-]{20,80}"},
        ),
    ] = ""
    form: Annotated[str, Meta(description="The form's id, the number in its link.", extra={"pattern": r"\d{6,20}"})] = (
        ""
    )


WEBHOOKS = "/form/{form}/webhooks"
ACTIVATION = Activation(
    base="https://api.jotform.com",
    needs=("token", "form"),
    headers={"APIKEY": "{token}"},
    check=Call("GET", "/form/{form}"),
    account="content.title",
    register=Call("POST", WEBHOOKS, form={"webhookURL": "{url}"}),
    webhooks=Webhooks(Call("GET", WEBHOOKS), "content", listed=True, url=""),
    unregister=Call("DELETE", f"{WEBHOOKS}/{{id}}"),
    good={"responseCode": "200"},
    why="message",
)
