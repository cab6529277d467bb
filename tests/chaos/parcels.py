"""Deliveries packed into requests, and what intake says of each of them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec
from msgspec import Struct

from crm.errors import Broken
from crm.scalars import Id
from tests.chaos.deliveries import Delivery

NDJSON = "application/x-ndjson"


class Verdict(Struct, gc=False):
    """What intake says of one line."""

    status: str
    id: Id = Id("")
    error: str = ""


VERDICTS = msgspec.json.Decoder(Verdict)


class Parcel(NamedTuple):
    """What goes in one request."""

    path: str
    headers: str
    body: bytes
    deliveries: Sequence[Delivery]


def parcels(burst: Sequence[Delivery]) -> Iterator[Parcel]:
    """Lines of one shop go together; what comes by the form's door goes alone."""
    lines = []
    for delivery in burst:
        if delivery.content_type:
            headers = f"Content-Type: {delivery.content_type}\r\n"
            yield Parcel(f"/in/{delivery.shop.form}", headers, delivery.body, [delivery])
        else:
            lines.append(delivery)
    lines.sort(key=lambda delivery: delivery.shop.token)
    for token, some in groupby(lines, lambda delivery: delivery.shop.token):
        together = list(some)
        headers = f"Authorization: Bearer {token}\r\nContent-Type: {NDJSON}\r\n"
        yield Parcel("/facts", headers, b"\n".join(d.body for d in together), together)


def ids_of(parcel: Parcel, answer: bytes) -> Iterator[Id]:
    """Raises Broken when a line was refused: stories tell nothing that may be."""
    (first, *_) = parcel.deliveries
    if first.id:
        yield first.id
        return
    for verdict in VERDICTS.decode_lines(answer):
        if verdict.status not in ("accepted", "repeated"):
            raise Broken(f"Intake refused a good fact: {verdict.error}")
        yield verdict.id
