"""Packs deliveries into requests and reads intake's answers."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec
from msgspec import Struct

from crm.errors import Broken
from crm.scalars import Id
from tests.support.workload.deliveries import Delivery

NDJSON = "application/x-ndjson"


class Verdict(Struct, gc=False):
    """Intake's answer for one line."""

    status: str
    id: Id = Id("")
    error: str = ""


VERDICTS = msgspec.json.Decoder(Verdict)


class Batch(NamedTuple):
    """One request."""

    path: str
    headers: str
    body: bytes
    deliveries: Sequence[Delivery]


def batches(burst: Sequence[Delivery]) -> Iterator[Batch]:
    """Yields requests: lines of one tenant share one; each form body has its own."""
    lines = []
    for delivery in burst:
        if delivery.content_type:
            headers = f"Content-Type: {delivery.content_type}\r\n"
            yield Batch(f"/in/{delivery.tenant.form}", headers, delivery.body, [delivery])
        else:
            lines.append(delivery)
    lines.sort(key=lambda delivery: delivery.tenant.token)
    for token, some in groupby(lines, lambda delivery: delivery.tenant.token):
        together = list(some)
        headers = f"Authorization: Bearer {token}\r\nContent-Type: {NDJSON}\r\n"
        yield Batch("/facts", headers, b"\n".join(d.body for d in together), together)


def ids_of(batch: Batch, answer: bytes) -> Iterator[Id]:
    """Yields the facts' ids. Raises Broken when a line was refused: all deliveries are valid."""
    (first, *_) = batch.deliveries
    if first.id:
        yield first.id
        return
    for verdict in VERDICTS.decode_lines(answer):
        if verdict.status not in ("accepted", "repeated"):
            raise Broken(f"Intake refused a good fact: {verdict.error}")
        yield verdict.id
