"""Typeform: the webhook of a form, set by a personal token (https://www.typeform.com/developers/webhooks/)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks
from services.connectors.submissions.settings import FormSettings


class Settings(FormSettings, frozen=True, gc=False):
    """The settings of a connection to a form."""

    token: Annotated[
        str,
        Meta(
            description="A personal token with webhooks:write and forms:read, under Account, Personal tokens.",
            examples=["tfp_..."],
            extra={"pattern": "tfp_[A-Za-z0-9_-]{20,100}"},
        ),
    ] = ""
    form: Annotated[
        str, Meta(description="The form's id, the end of its link.", extra={"pattern": "[A-Za-z0-9]{4,40}"})
    ] = ""


ACTIVATION = Activation(
    base="https://api.typeform.com",
    needs=("token", "form"),
    headers={"Authorization": "Bearer {token}"},
    check=Call("GET", "/forms/{form}"),
    account="title",
    secret="made",
    register=Call(
        "PUT",
        "/forms/{form}/webhooks/{connection}",
        json={"url": "{url}", "enabled": True, "secret": "{secret}", "verify_ssl": True},
    ),
    webhooks=Webhooks(Call("GET", "/forms/{form}/webhooks"), "items", listed=True, id="tag", on="enabled"),
    unregister=Call("DELETE", "/forms/{form}/webhooks/{id}"),
    why="description",
)
