"""Notices of WayForPay, signed with the secret key of a merchant."""

import re
from functools import partial
from typing import Any

from crm.connector import Delivery
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import verbatim
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, json_bytes, with_post
from services.connectors.wayforpay.webhook import SIGNED, sign

secret_of = partial(derived_secret, "wayforpay")


def notice(secret: str, reference: str, amount: str, /, **changes: Any) -> Post:
    """Returns a paid order of `amount` hryvnias ("54.10") unless `changes` say otherwise (transactionStatus, ...)."""
    fields: dict[str, Any] = {
        "merchantAccount": "shop_com_ua",
        "orderReference": reference,
        "amount": amount,
        "currency": "UAH",
    }
    fields |= {"transactionStatus": "Approved", "reasonCode": 1100, "processingDate": 1791190860}
    return signed(secret, json_bytes(fields | changes))


def signed(secret: str, body: bytes) -> Post:
    """Returns a notice with a signature of its own in place of the one that it has."""
    order = decode_object(body)
    mark = b'"merchantSignature":"' + sign(secret, *(verbatim(order, name) for name in SIGNED.split())).encode() + b'"'
    marked, found = re.subn(rb'"merchantSignature":\s*"[^"]*"', mark, body, count=1)
    comma = b"," if order else b""
    return {"content-type": JSON}, marked if found else body.rstrip()[:-1] + comma + mark + b"}"


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body))


REHEARSAL = Rehearsal({}, secret_of, sign=sign_delivery)
