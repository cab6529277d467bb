"""A delivery as it is sent: a CloudEvent in JSON, signed as Standard Webhooks has it.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec import json

from crm.contract.codec import FRAME, TYPE_NAMES, WRITERS
from crm.decisions.workspace import EPOCH
from crm.envelope import Event
from crm.scalars import Micros
from services.outbound.delivery import SECOND, Delivery

CONTENT_TYPE = "application/cloudevents+json"
PREFIX = "whsec_"
KEPT = 4_096  # events whose data is kept, as several webhooks are sent the same


class Rendered(dict[tuple[str, bool], bytes]):
    """The data of the last events as JSON."""

    def of(self, event: Event, thin: bool) -> bytes:
        key = event.meta.id, thin
        found = self.get(key)
        if found is None:
            if len(self) >= KEPT:
                self.clear()
            found = self[key] = data_of(event, thin)
        return found


def data_of(event: Event, thin: bool) -> bytes:
    """Returns its own fields, named as in its schema; of a thin one its ids alone."""
    names = [name for name in event.__struct_fields__ if name != "meta" and (not thin or name.endswith("_id"))]
    return json.encode({name: getattr(event, name) for name in names})


def schema_of(event: Event) -> int:
    """Returns the id of the schema of its fields, in schemas/avro/registry.json."""
    return int(FRAME.unpack(WRITERS[type(event)][0])[1])


def body_of(delivery: Delivery, event: Event, data: bytes) -> bytes:
    """Returns the body. `position` and `previous` are texts: integers of CloudEvents have 32 bits."""
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
    if delivery.previous is not None:
        attributes["previous"] = str(delivery.previous)
    return json.encode(attributes)[:-1] + b',"data":' + data + b"}"


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


def key_of(secret: str) -> bytes:
    """Returns the bytes of a secret. Raises ValueError when it is none."""
    return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
