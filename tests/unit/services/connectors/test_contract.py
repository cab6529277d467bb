"""The contract of a connector holds vendors of any kind: shown with connectors of a few lines, none of the product."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from crm.connector import Answer, Connection, Connector, Delivery, Report, Webhook, delivery_of, echo, expect_equal
from crm.connector_proofs import Signature
from crm.connector_settings import BadSetting, check_settings, describe_settings, typed_settings
from crm.errors import Broken, Refused
from crm.facts import DeliveryKept
from crm.shared import Raw
from services.connectors import find_connectors
from tests.support.planted_connectors import OAUTH, SETTINGS, declared, package
from tests.support.scenarios import CONNECTION, NOON, SHOP


def connection(secret: str = "s3cret", **settings: str) -> Connection:
    return Connection(CONNECTION, SHOP, "acme", secret, settings)


def get(query: str) -> Delivery:
    return Delivery({}, b"", NOON, query, method="GET", base="https://crm.example.com", path="/in/1")


def kept(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    yield Report("1", "", delivery.received_at, lambda meta, raw: DeliveryKept(meta, raw, "acme", "ping"))


def signs_the_url(delivery: Delivery, connection: Connection) -> None:
    """As Twilio does: the URL, then the sorted parameters of the body."""
    signed = delivery.url + delivery.body.decode()
    mac = hmac.digest(connection.secret.encode(), signed.encode(), hashlib.sha1)
    expect_equal(base64.b64encode(mac).decode(), delivery.headers.get("x-signature", ""))


def test_a_vendor_may_sign_method_url_and_body() -> None:
    acme = Connector("acme", "calls", Webhook(signs_the_url, kept))
    mac = hmac.digest(b"s3cret", b"https://crm.example.com/in/1/x%20y?token=t&a=1CallSid1", hashlib.sha1)
    headers = {"x-signature": base64.b64encode(mac).decode()}
    sent = Delivery(headers, b"CallSid1", NOON, "token=t&a=1", base="https://crm.example.com", path="/in/1/x%20y")
    (fact,) = acme.receive(sent, connection())
    assert isinstance(fact, DeliveryKept)
    with pytest.raises(Refused, match="does not match"):
        acme.receive(msgspec.structs.replace(sent, base="http://10.0.0.5:8080"), connection())


def test_method_and_url_are_kept_and_read_again_without_secrets() -> None:
    acme = Connector("acme", "calls", Webhook(lambda *_: None, kept, secret_headers=frozenset(("x-key",))))
    headers = {"content-type": "text/plain", "x-key": "s3cret", "x-topic": "orders/paid"}
    sent = Delivery(
        headers, b"x", NOON, "token=t&a=1&b=s3cret", "trace", "PUT", "https://crm.example.com", "/in/1", "1.2.3.4"
    )
    raw = acme.raw(sent, connection())
    assert raw.headers == {
        "content-type": "text/plain",
        "x-topic": "orders/paid",
        ":method": "PUT",
        ":url": "https://crm.example.com/in/1",
    }
    again = delivery_of(raw, NOON, "trace")
    assert (again.method, again.url, again.peer) == ("PUT", "https://crm.example.com/in/1?a=1", "")
    assert again.headers == {"content-type": "text/plain", "x-topic": "orders/paid"}
    assert acme.raw(again, connection()) == raw


def test_a_secret_in_the_path_is_not_kept() -> None:
    acme = Connector("acme", "calls", Webhook(lambda *_: None, kept))
    raw = acme.raw(Delivery({}, b"x", NOON, path="/in/1/s3cret", base="http://h"), connection())
    assert raw.headers[":url"] == "http://h/in/1/***"


def test_a_record_of_an_older_release_has_neither_method_nor_url() -> None:
    again = delivery_of(Raw("text/plain", {"x-topic": "paid"}, "a=1", b"x"), NOON)
    assert (again.method, again.url, again.content_type) == ("POST", "?a=1", "text/plain")


def hub_challenge(delivery: Delivery, connection: Connection) -> Answer | None:
    """As Meta does: GET with hub.verify_token and hub.challenge."""
    if delivery.method != "GET":
        return None
    expect_equal(connection.secret, delivery.parameters.get("hub.verify_token", ""), "verify token")
    return echo(delivery.parameters.get("hub.challenge", ""))


def zd_echo(delivery: Delivery, connection: Connection) -> Answer | None:
    """As Zadarma does: GET with a text to send back."""
    text = delivery.parameters.get("zd_echo")
    return echo(text) if text is not None else None


def url_verification(delivery: Delivery, connection: Connection) -> Answer | None:
    """As Slack does: POST with JSON."""
    if b"url_verification" not in delivery.body:
        return None
    return echo(msgspec.json.decode(delivery.body)["challenge"])


def test_a_handshake_may_be_a_get_with_a_verify_token() -> None:
    assert hub_challenge(get("hub.mode=subscribe&hub.verify_token=s3cret&hub.challenge=77"), connection()) == Answer(
        200, b"77"
    )
    with pytest.raises(Refused, match="verify token"):
        hub_challenge(get("hub.verify_token=guess&hub.challenge=77"), connection())


def test_a_handshake_may_be_an_echo() -> None:
    assert zd_echo(get("zd_echo=a%20b"), connection()) == Answer(200, b"a b")
    assert zd_echo(get("page=1"), connection()) is None


def test_a_handshake_may_be_a_post() -> None:
    body = b'{"type":"url_verification","challenge":"3eZbrw"}'
    assert url_verification(Delivery({}, body, NOON), connection()) == Answer(200, b"3eZbrw")
    assert url_verification(Delivery({}, b'{"type":"event"}', NOON), connection()) is None


class Many(Struct, frozen=True):
    """Settings of every kind."""

    region: Annotated[str, Meta(description="The data centre.", examples=["eu"])]
    retries: Annotated[int, Meta(description="How often it is tried.")] = 3
    test_mode: Annotated[bool, Meta(description="Whether test calls count.")] = False
    rates: Annotated[dict[str, str], Meta(description="The rate of one queue.")] = msgspec.field(
        name="rate.<queue>", default_factory=dict
    )


def test_settings_are_typed() -> None:
    given = {"region": "eu", "retries": "5", "test_mode": "yes", "rate.sales": "1", "of_an_older_release": "x"}
    assert connection(**given).settings_as(Many) == Many("eu", 5, True, {"sales": "1"})
    assert connection(region="eu", test_mode="perhaps", retries="").settings_as(Many) == Many("eu")
    with pytest.raises(Refused, match=r"The setting 'retries' of this connection cannot be used.*Nothing was kept"):
        typed_settings(Many, {"region": "eu", "retries": "many"})


def test_what_is_accepted_is_what_is_read() -> None:
    """A blank that the check overlooked would turn a setting off without a word."""
    with pytest.raises(BadSetting, match="takes yes or no"):
        check_settings("acme", describe_settings(Many), {"region": "eu", "test_mode": " yes"})
    assert not typed_settings(Many, {"region": "eu", "test_mode": " yes"}).test_mode


@pytest.mark.parametrize(
    ("given", "sentence", "missing"),
    [
        ({}, "acme needs the setting 'region': The data centre.", True),
        ({"region": " "}, "acme needs the setting 'region': The data centre.", True),
        (
            {"region": "eu", "regoin": "x"},
            "acme has no setting 'regoin': it has region, retries, test_mode, rate.<queue>.",
            False,
        ),
        (
            {"region": "eu", "rate.": "1"},
            "acme has no setting 'rate.': it has region, retries, test_mode, rate.<queue>.",
            False,
        ),
        (
            {"region": "eu", "retries": "many"},
            "The setting 'retries' takes a whole number. It is for this: How often it is tried.",
            False,
        ),
        (
            {"region": "eu", "test_mode": "perhaps"},
            "The setting 'test_mode' takes yes or no. It is for this: Whether test calls count.",
            False,
        ),
    ],
)
def test_a_setting_that_does_not_fit_is_named_with_what_it_is_for(
    given: dict[str, str], sentence: str, missing: bool
) -> None:
    with pytest.raises(BadSetting) as refused:
        check_settings("acme", describe_settings(Many), given)
    assert (str(refused.value), refused.value.missing) == (sentence, missing)
    check_settings(
        "acme", describe_settings(Many), {"region": "eu", "retries": "4", "rate.sales": "1", "test_mode": "no"}
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "/acme/__init__.py has no CONNECTOR = Connector(...). See docs/connecting.md."),
        ("CONNECTOR = 7", "/acme/__init__.py has no CONNECTOR = Connector(...). See docs/connecting.md."),
        ("import acme_sdk", "/acme cannot be imported: ModuleNotFoundError: No module named 'acme_sdk'."),
        ("1 +", "/acme cannot be imported: SyntaxError: invalid syntax (__init__.py, line 1)."),
        (declared('"acne", "calls", WEBHOOK, "Acme"'), "/acme: its connector is named 'acne', not as its folder."),
        (
            declared('"acme", "calls", WEBHOOK'),
            "/acme: its connector has no title: one line that says to people what it connects.",
        ),
        (
            declared('"acme", "faxes", WEBHOOK, "Acme"'),
            "/acme: its family is 'faxes', not one of forms, banking, calls, chats, parcels, facts.",
        ),
        (
            declared('"acme", "calls", title="Acme"'),
            "/acme: its connector receives nothing: give it the Webhook of its webhook.py or the Poll of its poll.py.",
        ),
        (
            declared('"acme", "calls", WEBHOOK, "Acme", oauth=OAuth("https://a/b", "https://a/c")', OAUTH),
            "/acme: its OAuth keeps the permission elsewhere than its poll reads it: OAuth(setting=...) is "
            "Poll(key=...).",
        ),
        (
            declared(
                '"acme", "calls", WEBHOOK, "Acme", oauth=OAuth("https://a/b", "https://a/c"), poll=POLL, '
                "settings=Settings",
                OAUTH + SETTINGS.format(field='client_id: Annotated[str, Meta(description="x")]'),
            ),
            "/acme: its settings have the name of an option by which `crm connect` makes a link: client_id, "
            "client_secret.",
        ),
        (
            declared('"acme", "calls", WEBHOOK, "Acme", "signed"'),
            "/acme: its proof is 'signed', not one of crm/connector_proofs.py.",
        ),
        (
            declared('"acme", "calls", WEBHOOK, "Acme", Signature("")'),
            "/acme: its proof does not say what the secret is.",
        ),
        (
            declared('"acme", "calls", WEBHOOK, "Acme", settings={"region": str}'),
            "/acme: its settings are {'region': <class 'str'>}, not a msgspec.Struct.",
        ),
        (
            declared('"acme", "calls", WEBHOOK, "Acme", settings=Settings', SETTINGS.format(field="region: str")),
            "/acme: its setting 'region' has no description: declare it as Annotated[..., Meta(description=...)].",
        ),
        (
            declared(
                '"acme", "calls", WEBHOOK, "Acme", settings=Settings',
                SETTINGS.format(field='region: Annotated[list[str], Meta(description="x")]'),
            ),
            "/acme: its setting 'region' is of a type that settings cannot have: use str, int, bool or Literal.",
        ),
        (
            declared(
                '"acme", "calls", WEBHOOK, "Acme", settings=Settings',
                SETTINGS.format(field='region: Annotated[str, Meta(description="x", extra={"kind": "planet"})]'),
            ),
            "/acme: its setting 'region' is of the kind 'planet': use one of "
            "text, number, yes or no, country, currency.",
        ),
        (
            declared(
                '"acme", "calls", WEBHOOK, "Acme", settings=Settings',
                SETTINGS.format(field='secret: Annotated[str, Meta(description="x")]'),
            ),
            "/acme: its setting 'secret' has the name of an option of `crm connect`.",
        ),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path, source: str, sentence: str) -> None:
    with pytest.raises(Broken) as broken:
        find_connectors(package(tmp_path, acme=source))
    assert str(broken.value).endswith(sentence)
    assert "\n" not in str(broken.value)


def test_a_name_that_stands_twice_is_one_sentence(tmp_path: Path) -> None:
    twice = declared('"acme", "calls", WEBHOOK, "Acme"')
    with pytest.raises(Broken, match=r"/other: another folder has a connector 'acme' too\. Rename one of them\."):
        find_connectors(package(tmp_path, acme=twice, other=twice))


def test_a_folder_is_found_by_looking(tmp_path: Path) -> None:
    source = declared('"acme-2", "calls", WEBHOOK, "Acme", Signature("the key.")')
    found = find_connectors(package(tmp_path, acme_2=source, formats=""))
    assert list(found) == ["acme-2"]
    assert found["acme-2"].proof == Signature("the key.")
