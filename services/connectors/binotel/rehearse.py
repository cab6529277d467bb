"""Requests of Binotel's telephone exchange."""

import json
from functools import partial
from typing import Any

from services.connectors.binotel.webhook import ACCEPTED
from services.connectors.rehearsal import Post, Rehearsal, derived_secret, form_post, php_post

secret_of = partial(derived_secret, "binotel")


def call(kind: str, call: int, number: str, /, **changes: Any) -> Post:
    """`kind` is receivedTheCall, answeredTheCall, hangupTheCall or apiCallCompleted (details in brackets)."""
    fields: dict[str, object] = {"generalCallID": call, "callType": 0, "companyID": 1, "externalNumber": number}
    fields |= changes
    if kind == "apiCallCompleted":
        fields = {f"callDetails[{name}]": value for name, value in fields.items()}
    return form_post({"requestType": kind, **fields})


def ring(_seed: str, number: int, phone: str) -> Post:
    return call("receivedTheCall", number, phone)


def hang_up(_seed: str, number: int, phone: str, talk_s: int) -> Post:
    return call("apiCallCompleted", number, phone, billsec=talk_s, disposition="ANSWER")


REHEARSAL = Rehearsal(
    {"ring": ring, "hang_up": hang_up}, secret_of, ACCEPTED.body, wire=lambda body: php_post(json.loads(body))
)
