"""A delivery as it is sent: a CloudEvent in JSON, signed as Standard Webhooks has it.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache

from msgspec import json

from crm.contract.codec import FRAME, TYPE_NAMES, WRITERS
from crm.decisions.workspace import EPOCH
from crm.envelope import Event
from crm.scalars import Micros
from services.outbound.delivery import SECOND, Delivery

CONTENT_TYPE = "application/cloudevents+json"
PREFIX = "whsec_"
KEPT = 4_096  # events whose parts are kept, as several webhooks are sent the same


Parts = tuple[bytes, bytes]  # a body up to `previous`, and after it


class Rendered(dict[tuple[str, bool], Parts]):
    """The parts of the last events' bodies."""

    def of(self, delivery: Delivery, event: Event, thin: bool) -> Parts:
        key = event.meta.id, thin
        found = self.get(key)
        if found is None:
            if len(self) >= KEPT:
                self.clear()
            found = self[key] = parts_of(delivery, event, thin)
        return found


def data_of(event: Event, thin: bool) -> bytes:
    """Returns its own fields, named as in its schema; of a thin one its ids alone."""
    names = [name for name in event.__struct_fields__ if name != "meta" and (not thin or name.endswith("_id"))]
    return json.encode({name: getattr(event, name) for name in names})


def schema_of(event: Event) -> int:
    """Returns the id of the schema of its fields, in schemas/avro/registry.json."""
    return int(FRAME.unpack(WRITERS[type(event)][0])[1])


def parts_of(delivery: Delivery, event: Event, thin: bool) -> Parts:
    """Returns what all receivers are sent. `position` is a text: integers of CloudEvents have 32 bits."""
    meta, kind = event.meta, TYPE_NAMES[type(event)]
    attributes = {
        "specversion": "1.0",
        "id": meta.id,
        "source": f"/workspaces/{meta.workspace}",
        "type": kind,
        "subject": meta.stream,
        "time": moment(meta.occurred_at),
        "recordedtime": moment(meta.recorded_at),
        "datacontenttype": "application/json",
        "dataschema": f"urn:potik:{kind}:{schema_of(event)}",
        "partition": delivery.partition,
        "position": str(delivery.position),
    }
    return json.encode(attributes)[:-1], b',"data":' + data_of(event, thin) + b"}"


def body_of(delivery: Delivery, parts: Parts) -> bytes:
    """Returns the body. `previous` is of its receiver alone."""
    head, tail = parts
    return head + tail if delivery.previous is None else b'%b,"previous":"%d"%b' % (head, delivery.previous, tail)


def moment(at: Micros) -> str:
    return (EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def headers_of(delivery: Delivery, body: bytes, secrets: Sequence[bytes], now: Micros) -> Mapping[str, str]:
    """Returns the headers, with a signature of each secret. `webhook-id` is the same in each attempt."""
    at = str(now // SECOND)
    signed = f"{delivery.id}.{at}.".encode() + body
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": delivery.id,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(sign(secret, signed) for secret in secrets),
    }


def sign(secret: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


@lru_cache(4_096)
def key_of(secret: str) -> bytes:
    """Returns the bytes of a secret. Raises ValueError when it is none."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
