"""Twilio: the status callback of a number (https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

AccountSid = Annotated[
    str,
    Meta(
        description="The Account SID: with it and number_sid, the status callback is set.",
        examples=["AC..."],
        extra={"pattern": "AC[0-9a-f]{32}"},
    ),
]
NumberSid = Annotated[
    str,
    Meta(
        description="The SID of the number, on its page under Phone Numbers.",
        examples=["PN..."],
        extra={"pattern": "PN[0-9a-f]{32}"},
    ),
]
NUMBER = "/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{number_sid}.json"
INFO = Call("GET", NUMBER)
REPEATED = "{url}#rc=5"  # so that Twilio sends a callback again when it fails
ACTIVATION = Activation(
    base="https://api.twilio.com",
    needs=("account_sid", "number_sid", "secret"),
    headers={"Authorization": "Basic {account_sid}:{secret}"},
    check=INFO,
    account="phone_number",
    register=Call("POST", NUMBER, form={"StatusCallback": REPEATED, "StatusCallbackMethod": "POST"}),
    webhooks=Webhooks(INFO, url="status_callback", url_is=REPEATED),
    unregister=Call("POST", NUMBER, form={"StatusCallback": ""}),
    why="message",
    by_hand="Give {url}#rc=5 as statusCallback to each <Number> of your <Dial> too: README of the connector.",
)
