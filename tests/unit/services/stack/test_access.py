"""Tokens and connections: what is printed, and the little that is kept of it."""

import asyncio
import contextlib
import hashlib
import re
from typing import Self

import pytest

from crm import tokens
from crm.connection_secrets import opened
from crm.contract.codec import decode, encode
from crm.envelope import Fact
from crm.facts import ConnectionDeclared, TokenDeclared
from crm.scalars import Id
from services.stack import access
from tests.support.secret_keys import KEYS

WORKSPACE = Id("6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a01")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bytes]]:
    """What would have gone to Kafka: bootstrap, key, value."""
    sent: list[tuple[str, str, bytes]] = []

    async def keep(bootstrap: str, *facts: tuple[str, Fact]) -> None:
        sent.extend((bootstrap, key, encode(fact)) for key, fact in facts)

    monkeypatch.setattr(access, "publish", keep)
    return sent


def test_a_token_has_a_checksum_that_tells_it_from_a_look_alike() -> None:
    token = tokens.new_secret()
    found = re.fullmatch(r"crm_live_([A-Za-z0-9_-]{32})([0-9A-Za-z]{6})", token)
    assert found and tokens.checksum(found[1]) == found[2]


def test_the_checksum_is_crc32_in_base_62() -> None:
    assert tokens.checksum("123456789") == "3Jzrme"  # CRC-32's published check value, 0xCBF43926
    assert tokens.checksum("") == "000000"


def test_two_tokens_are_never_the_same() -> None:
    assert len({tokens.new_secret() for _ in range(100)}) == 100


def test_only_the_hash_of_a_token_goes_to_kafka(published: list[tuple[str, str, bytes]]) -> None:
    made = asyncio.run(access.create_token("kafka:9092", WORKSPACE, "laptop", ("read",)))
    [(bootstrap, key, value)] = published
    fact = decode(value)
    assert (bootstrap, key) == ("kafka:9092", made.id)
    assert fact == TokenDeclared(
        fact.meta, made.id, "laptop", hashlib.sha256(made.text.encode()).hexdigest(), ("read",), None, True
    )
    assert (fact.meta.id, fact.meta.stream, fact.meta.cause) == (made.id, made.id, made.id)
    assert (fact.meta.workspace, fact.meta.source) == (WORKSPACE, "crm")
    assert made.text.encode() not in value


def test_a_connection_is_declared_under_its_id(published: list[tuple[str, str, bytes]]) -> None:
    made = asyncio.run(access.declare_connection("k", WORKSPACE, "liqpay", "Shop", "s3cret", {"public_key": "i1"}))
    [(_, key, value)] = published
    fact = decode(value)
    assert key == made
    assert isinstance(fact, ConnectionDeclared)
    assert (fact.connection, fact.connector, fact.name, fact.enabled) == (made, "liqpay", "Shop", True)
    assert opened(fact, KEYS) == ("s3cret", {"public_key": "i1"})
    assert b"s3cret" not in value and b"i1" not in value


def test_a_connection_is_changed_under_the_same_id(published: list[tuple[str, str, bytes]]) -> None:
    made = asyncio.run(access.declare_connection("k", WORKSPACE, "liqpay", "Shop", "new", connection=WORKSPACE))
    assert made == WORKSPACE
    assert opened(decode(published[0][2]), KEYS)[0] == "new"


def test_a_form_is_never_off_for_want_of_a_secret(published: list[tuple[str, str, bytes]]) -> None:
    asyncio.run(access.declare_connection("k", WORKSPACE, "form", "Landing page"))
    assert len(opened(decode(published[0][2]), KEYS)[0]) == 32


def test_a_bank_without_a_secret_stays_off(published: list[tuple[str, str, bytes]]) -> None:
    asyncio.run(access.declare_connection("k", WORKSPACE, "monobank", "Shop"))
    assert opened(decode(published[0][2]), KEYS)[0] == ""


@pytest.mark.parametrize(
    ("workspace", "connector", "sentence"),
    [
        (WORKSPACE, "form", ""),
        (WORKSPACE, "liqpay", "The connection .* is of form, not of liqpay. Nothing was changed."),
        (
            Id("00000000-0000-0000-0000-000000000001"),
            "form",
            "This workspace has no connection .* Nothing was changed.",
        ),
    ],
)
def test_only_a_connection_of_the_workspace_and_the_connector_is_changed(
    published: list[tuple[str, str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    workspace: Id,
    connector: str,
    sentence: str,
) -> None:
    """`crm connect liqpay --connection ID` turned a form into LiqPay, and an id with a slip in it made a new one."""
    made = asyncio.run(access.declare_connection("k", WORKSPACE, "form", "Landing page"))

    class Known(access.Access):
        async def start(self, bootstrap: str) -> Self:
            self.learn(decode(published[0][2]))
            return self

    monkeypatch.setattr(access, "Access", Known)
    with pytest.raises(ValueError, match=sentence) if sentence else contextlib.nullcontext():
        asyncio.run(access.check_change("k", workspace, connector, made))
    with pytest.raises(ValueError, match="This workspace has no connection"):
        asyncio.run(access.check_change("k", workspace, connector, WORKSPACE))
