"""monobank acquiring: the merchant's public key, by the merchant's token (https://monobank.ua/api-docs/acquiring)."""

from typing import Annotated

from msgspec import Meta, Struct

from crm.activation.declared import Activation, Call


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a merchant."""

    token: Annotated[
        str,
        Meta(
            description="The merchant's token, from the cabinet at web.monobank.ua: gets the public key.",
            extra={"pattern": "[A-Za-z0-9_-]{20,100}"},
        ),
    ] = ""


ACTIVATION = Activation(
    base="https://api.monobank.ua",
    needs=("token",),
    headers={"X-Token": "{token}"},
    check=Call("GET", "/api/merchant/pubkey"),
    secret="checked",
    secret_at="key",
    why="errText",
    by_hand="The bank has no setting for it: give {url} as webHookUrl with each invoice that you create.",
)
