"""The proofs of mail services against published vectors, and the keys that Google publishes."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from crm.connector import Connection, Delivery, Webhook
from crm.errors import Refused
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.gmail import rehearse
from services.connectors.rehearsal import json_bytes
from services.connectors.signatures.google_token import CERTS
from services.intake.published_keys import HOUR, MINUTE, PublishedKeys
from services.intake.reply import Stop
from tests.support.connector_deliveries import NOW, connection, sent
from tests.support.needs import needs_samples
from tests.support.vendor_samples import FOLDER


def webhook_of(name: str) -> Webhook:
    webhook = CONNECTORS[name].webhook
    assert webhook
    return webhook


@needs_samples
def test_the_published_vector_of_sendgrid_and_its_negatives() -> None:
    vector = json.loads((FOLDER / "sendgrid" / "event_webhook.vector.json").read_text("utf-8"))
    verify = webhook_of("sendgrid").verify

    def given(body: str = "", signature: str = "", timestamp: str = "", public_key: str = "") -> None:
        names = ("X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp")
        values = (signature or vector["headers"][names[0]], timestamp or vector["headers"][names[1]])
        headers = {name.lower(): value for name, value in zip(names, values, strict=True)}
        at = Micros(int(vector["headers"][names[1]]) * 1_000_000)
        delivery = Delivery(headers, (body or vector["body"]).encode(), at)
        verify(delivery, connection("sendgrid", public_key=public_key or vector["public_key"]))

    given()
    assert len(vector["negatives"]) == 4
    for changed in vector["negatives"]:
        with pytest.raises(Refused, match="Nothing was kept"):
            given(**changed)


@needs_samples
def test_the_published_vector_of_standard_webhooks() -> None:
    vector = json.loads((FOLDER / "standard-webhooks" / "sign.vector.json").read_text("utf-8"))
    headers = {name.lower(): str(value) for name, value in vector["headers"].items()}
    secret = vector["secret"]
    at = Micros(int(headers["webhook-timestamp"]) * 1_000_000)
    body = vector["body"] if isinstance(vector["body"], str) else json.dumps(vector["body"])
    delivery = Delivery(headers | {"webhook-signature": vector["multi_signature_ok"]}, body.encode(), at)
    webhook_of("resend").verify(delivery, connection("resend", secret))
    for wrong in vector["negatives"]:
        named = {name: value for name, value in wrong.items() if name.startswith("webhook-")}
        if named or "secret" in wrong:
            with pytest.raises(Refused, match="Nothing was kept"):
                forged = replace(delivery, headers=headers | named)
                webhook_of("resend").verify(forged, connection("resend", wrong.get("secret", secret)))
    for changed in (replace(delivery, body=b"{}"), replace(delivery, received_at=Micros(at + 301_000_000))):
        with pytest.raises(Refused, match="Nothing was kept"):
            webhook_of("resend").verify(changed, connection("resend", secret))


BOX = connection("gmail", **rehearse.settings("a"))
NOTICE = sent(b'{"message": {"messageId": "1"}}', "application/json")


def claims(**changed: object) -> dict[str, object]:
    at = NOW // 1_000_000
    known: dict[str, object] = {
        "iss": "https://accounts.google.com",
        "aud": "https://crm.example.com/in/1",
        "email": BOX.settings["service_account"],
        "email_verified": True,
        "iat": at,
        "exp": at + 3_600,
    }
    return known | changed


def pushed(token: str, keys: str = "") -> Delivery:
    headers = {**NOTICE.headers, "authorization": f"Bearer {token}"}
    return replace(NOTICE, headers=headers, keys={CERTS: keys or rehearse.key_set()})


def verify(delivery: Delivery, box: Connection = BOX) -> None:
    webhook_of("gmail").verify(delivery, box)


def test_a_token_of_google_for_this_address_and_account() -> None:
    verify(pushed(rehearse.token(claims())))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://crm.example.com/in/2"},
        {"email": "somebody@project.iam.gserviceaccount.com"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"iss": "https://accounts.example.com"},
        {"exp": NOW // 1_000_000 - 301, "iat": NOW // 1_000_000 - 3_900},
        {"iat": NOW // 1_000_000 + 301},
        {"iat": "now"},
    ],
)
def test_any_other_token_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(Refused, match="Nothing was kept"):
        verify(pushed(rehearse.token(claims(**changed))))


def test_a_mailbox_without_a_subscription_takes_no_notices() -> None:
    box = connection("gmail", **(rehearse.settings("a") | {"service_account": ""}))
    with pytest.raises(Refused, match=r"Nothing was kept. .*service_account"):
        verify(pushed(rehearse.token(claims(email=""))), box)


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(json_bytes({"alg": "none", "kid": "rehearsal"})).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


@pytest.mark.parametrize(
    "change",
    [
        unsigned,
        lambda token: token[:-4] + "AAAA",
        lambda token: token.rpartition(".")[0],
        lambda _: "a.b.c",
        lambda _: "",
    ],
)
def test_what_google_has_not_signed_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(Refused, match="Nothing was kept"):
        verify(pushed(change(rehearse.token(claims()))))


@pytest.mark.parametrize("keys", ["{}", "not JSON", '{"keys": [{"kty": "RSA"}]}', '{"keys": 1}', '{"keys": []}'])
def test_without_the_key_it_is_refused(keys: str) -> None:
    with pytest.raises(Refused, match="not signed with a key of Google's"):
        verify(pushed(rehearse.token(claims()), keys))


def test_keys_are_fetched_once_an_hour_and_serve_on_while_their_vendor_is_away() -> None:
    fetched: list[str] = []
    answers: list[Any] = [httpx.ConnectError("down"), "one", httpx.ConnectError("down"), "two"]
    at = [NOW]

    async def fetch(url: str) -> str:
        fetched.append(url)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    keys = PublishedKeys(fetch, lambda: Micros(at[0]))
    for _ in range(2):
        with pytest.raises(Stop, match=r"cannot be had now\. Nothing was kept"):
            asyncio.run(keys.of([CERTS]))
    assert fetched == [CERTS]  # not again within a minute
    for later, found, times in ((MINUTE, "one", 2), (HOUR, "one", 2), (MINUTE, "one", 3), (MINUTE, "two", 4)):
        at[0] += later - (1 if (later, times) == (HOUR, 2) else 0)
        assert asyncio.run(keys.of([CERTS])) == {CERTS: found}
        assert len(fetched) == times
