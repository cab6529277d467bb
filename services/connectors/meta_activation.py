"""How an app at Meta learns where to deliver: by the app's id and secret, and a token of the account that installs it
(https://developers.facebook.com/docs/graph-api/webhooks/subscriptions-edge)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

VERSION = "/v23.0"
AppId = Annotated[
    str,
    Meta(
        description="The app's id: with it, the app secret, a verify token and a token, the webhook is set.",
        extra={"pattern": r"\d{5,20}"},
    ),
]
Token = Annotated[
    str,
    Meta(
        description="An access token of the account that installs the app.",
        examples=["EAAG..."],
        extra={"pattern": "[A-Za-z0-9_-]{30,500}"},
    ),
]


def meta_activation(object: str, fields: str, account: str = "me", needs: tuple[str, ...] = ()) -> Activation:
    """Returns the activation of an app for one kind of object: one app has one address for each kind.

    `account`: who installs the app, by its id; `needs`: settings besides those of every app.
    """
    app = {"access_token": "{app_id}|{secret}"}
    subscription = {"object": object, "callback_url": "{url}", "verify_token": "{verify_token}", "fields": fields}
    subscriptions = f"{VERSION}/{{app_id}}/subscriptions"
    return Activation(
        base="https://graph.facebook.com",
        needs=("app_id", "secret", "verify_token", "token", *needs),
        check=Call("GET", f"{VERSION}/{account}", {"fields": "name", "access_token": "{token}"}),
        account="name",
        register=Call("POST", subscriptions, form=subscription | app),
        then=Call(
            "POST",
            f"{VERSION}/{account}/subscribed_apps",
            form={"subscribed_fields": fields, "access_token": "{token}"},
        ),
        topics=(object,),
        webhooks=Webhooks(
            Call("GET", subscriptions, app), "data", listed=True, url="callback_url", topic="object", on="active"
        ),
        why="error.message",
    )
