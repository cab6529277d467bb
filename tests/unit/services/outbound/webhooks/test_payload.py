"""The body and its signatures, as the library of the standard reads them."""

import base64
import json

import pytest
from msgspec.structs import replace
from standardwebhooks import Webhook, WebhookVerificationError

from crm.connection_secrets import BOTH_UNTIL, PREVIOUS
from crm.delivery import Connection
from crm.envelope import named_id, now
from crm.events import DealStageMoved, NoteAdded
from crm.scalars import Micros
from services.outbound.delivery import Delivery, Recorded, delivery_of
from services.outbound.webhooks.follower import keys_of
from services.outbound.webhooks.payload import Rendered, body_of, data_of, headers_of, key_of, parts_of, schema_of
from tests.support.intake_server import meta
from tests.support.scenarios import NOON, SHOP
from tests.support.webhook_receiver import SECRET

HOOK, DEAL = named_id(SHOP, "hook"), named_id(SHOP, "deal")
OTHER = "whsec_" + base64.b64encode(b"another secret of a webhook, 32 b").decode()
MOVED = DealStageMoved(
    replace(meta(named_id(DEAL, "1")), workspace=SHOP, stream=DEAL, occurred_at=NOON, recorded_at=NOON + 1),
    DEAL,
    named_id(SHOP, "contact"),
    "new",
    "paid",
)


def delivery(previous: int | None = 6) -> Delivery:
    from crm.contract.codec import encode

    return delivery_of(Recorded(3, 7, encode(MOVED)), "webhook", named_id(HOOK, MOVED.meta.id), HOOK, DEAL, previous)


def sent(secrets: list[str], previous: int | None = 6) -> tuple[bytes, dict[str, str]]:
    one = delivery(previous)
    body = body_of(one, parts_of(one, MOVED, thin=False))
    return body, dict(headers_of(one, body, [key_of(secret) for secret in secrets], now()))


def test_the_body_is_a_cloud_event() -> None:
    body, headers = sent([SECRET])
    assert headers["content-type"] == "application/cloudevents+json"
    assert headers["webhook-id"] == named_id(HOOK, MOVED.meta.id)
    assert json.loads(body) == {
        "specversion": "1.0",
        "id": MOVED.meta.id,
        "source": f"/workspaces/{SHOP}",
        "type": "DealStageMoved",
        "subject": DEAL,
        "time": "2026-01-01T10:00:00.000000Z",
        "recordedtime": "2026-01-01T10:00:00.000001Z",
        "datacontenttype": "application/json",
        "dataschema": f"urn:potik:DealStageMoved:{schema_of(MOVED)}",
        "partition": 3,
        "position": "7",
        "previous": "6",
        "data": {
            "deal_id": DEAL,
            "contact_id": named_id(SHOP, "contact"),
            "from_stage": "new",
            "stage": "paid",
            "why": "",
            "report": None,
            "closed_at": None,
        },
    }
    assert "previous" not in json.loads(sent([SECRET], None)[0])


def test_a_thin_one_has_ids_alone() -> None:
    assert json.loads(data_of(MOVED, thin=True)) == {"deal_id": DEAL, "contact_id": named_id(SHOP, "contact")}
    rendered = Rendered()
    one = delivery()
    assert rendered.of(one, MOVED, False) is rendered.of(one, MOVED, False)
    assert rendered.of(one, MOVED, True) != rendered.of(one, MOVED, False)


def test_the_library_of_the_standard_verifies_it() -> None:
    body, headers = sent([SECRET])
    assert Webhook(SECRET).verify(body, headers)["id"] == MOVED.meta.id
    for wrong in (body + b" ", body.replace(b"paid", b"lost")):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(wrong, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, headers)


def test_while_a_secret_is_rotated_both_verify() -> None:
    body, headers = sent([OTHER, SECRET])
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(body, headers)["id"] == MOVED.meta.id
    until = {PREVIOUS: SECRET, BOTH_UNTIL: str(NOON)}
    connection = Connection(HOOK, SHOP, "webhook", OTHER, until)
    assert keys_of(connection, Micros(NOON - 1)) == [key_of(OTHER), key_of(SECRET)]
    assert keys_of(connection, Micros(NOON)) == [key_of(OTHER)]


def test_a_note_has_its_text() -> None:
    note = NoteAdded(MOVED.meta, DEAL, DEAL, "Ключ: «ї» 🔑")
    assert json.loads(data_of(note, thin=False))["text"] == "Ключ: «ї» 🔑"
