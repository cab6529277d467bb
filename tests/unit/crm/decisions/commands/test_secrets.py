"""Connections and tokens: what the journal holds of them, which is never a secret."""

import re

import pytest

from crm.commands import Code, Rejected
from crm.connector_catalogue import catalogue
from crm.contract.codec import encode
from crm.decisions.commands import COMMANDS, digest
from crm.events import (
    CommandAccepted,
    ConnectionAdded,
    ConnectionRemoved,
    ConnectionRotated,
    TokenCreated,
    TokenRevoked,
)
from crm.scalars import Id
from services.connectors import CONNECTORS
from tests.support.operator_session import command, operator_session
from tests.support.scenarios import NOON, an

SOME = Id("33333333-3333-5333-8333-333333333333")


def test_a_connection_is_added_rotated_and_removed_without_its_secret() -> None:
    session = operator_session().do(
        "connection_add",
        connector="form",
        name="Site",
        secret="hush-1",
        settings={"token": "hush-2"},
        setting_names=["token"],
    )
    session.then(an(ConnectionAdded, connector="form", name="Site", settings=("token",)))
    id = session.events[0].connection_id
    known = {"connection_id": id, "connector": "form", "name": "Site"}
    session.do("connection_rotate", **known, secret="hush-3").then(
        an(ConnectionRotated, connection_id=id, connector="form")
    )
    session.do("connection_remove", **known, why="no more").then(an(ConnectionRemoved, connection_id=id, why="no more"))
    session.refuses("connection_remove", "connectionId", Code.NOT_FOUND, **known)
    assert not any(b"hush" in encode(event) for event in session.decide.journal)
    assert session.every(CommandAccepted)[0].input == '{"connector":"form","name":"Site"}'


def test_what_no_connection_can_be() -> None:
    session = operator_session()
    session.refuses("connection_add", "connector", Code.NOT_FOUND, connector="fax")
    session.refuses("connection_add", "secret", Code.REQUIRED, connector="liqpay")
    session.refuses("connection_rotate", "connectionId", Code.NOT_FOUND, connection_id=SOME)
    session.refuses("connection_rotate", "secret", Code.REQUIRED, connection_id=SOME, connector="liqpay")
    session.do("connection_add", connector="form").then(an(ConnectionAdded, name="form"))


def test_a_token_is_made_and_revoked() -> None:
    session = operator_session().do(
        "token_create", name="Reports", scopes=["read", "write", "read"], expires_at=NOON + 1
    )
    session.then(an(TokenCreated, name="Reports", scopes=("read", "write"), expires_at=NOON + 1))
    known = {"token_id": session.events[0].token_id, "name": "Reports", "scopes": ["read"]}
    session.do("token_revoke", **known, why="leaked").then(an(TokenRevoked, name="Reports", why="leaked"))
    session.refuses("token_revoke", "tokenId", Code.NOT_FOUND, **known)
    session.refuses("token_revoke", "tokenId", Code.NOT_FOUND, token_id=SOME)
    session.refuses("token_create", "scopes", Code.REQUIRED, name="x", scopes=[])
    session.refuses("token_create", "name", Code.REQUIRED, name=" ", scopes=["read"])
    session.refuses("token_create", "expiresAt", Code.INVALID, name="x", scopes=["read"], expires_at=NOON)


def test_the_digest_of_an_input_helps_nobody_to_guess_its_secret() -> None:
    """It lies in the journal. So another secret under the same key is taken for the same command."""
    one, other = (command("connection_add", "k", connector="liqpay", secret=secret) for secret in ("a", "b"))
    named = command("connection_add", "k", connector="liqpay", secret="a", name="x")
    declared = COMMANDS["connection_add"]
    assert digest(declared, one) == digest(declared, other) != digest(declared, named)


def test_the_catalogue_is_of_the_connectors_that_there_are() -> None:
    assert list(catalogue()) == list(CONNECTORS)
    needy = {name for name, entry in catalogue().items() if entry.needs_secret}
    assert {"liqpay", "monobank", "telegram"} <= needy
    assert needy & {"form", "binotel", "monobank-personal"} == set()


@pytest.mark.parametrize("connector", [name for name, entry in catalogue().items() if entry.secret_pattern])
def test_what_cannot_be_the_secret_of_a_vendor_is_refused_and_not_shown(connector: str) -> None:
    """A connection with the wrong secret counted as connected, and refused every delivery."""
    wrong, session = "123456789:AAF-pasted from elsewhere", operator_session()
    why = session.refuses("connection_add", "secret", Code.INVALID, connector=connector, secret=wrong)
    assert f"cannot be the secret that {connector} needs: {catalogue()[connector].secret}" in why
    assert "pasted" not in why


def test_a_vendors_key_that_was_pasted_as_the_secret_is_said_to_be_one() -> None:
    token, session = f"123456789:{'A' * 35}", operator_session()
    why = session.refuses("connection_add", "secret", Code.INVALID, connector="telegram", secret=token)
    assert why == ("What was given as the secret is the token: give it as the setting token. Nothing was changed.")


def test_with_the_vendors_key_no_secret_is_needed() -> None:
    session = operator_session()
    why = session.refuses("connection_add", "secret", Code.REQUIRED, connector="telegram")
    assert "With these settings no secret is needed: token: The bot's token from @BotFather" in why
    session.do("connection_add", connector="telegram", settings={"token": f"123456789:{'A' * 35}"})
    session.refuses("connection_add", "settings", Code.INVALID, connector="telegram", settings={"token": "abc"})


@pytest.mark.parametrize(
    ("connector", "settings", "code", "message"),
    [
        (
            "monobank",
            {"sandbox": "yes"},
            Code.INVALID,
            "monobank has no setting 'sandbox': it has token. Nothing was changed.",
        ),
        (
            "liqpay",
            {"sandbx": "yes"},
            Code.INVALID,
            "liqpay has no setting 'sandbx': it has public_key, sandbox, country. Nothing was changed.",
        ),
        (
            "liqpay",
            {"sandbox": "perhaps"},
            Code.INVALID,
            "The setting 'sandbox' takes yes or no. It is for this: Count test payments as money. "
            "Only for a test workspace. Nothing was changed.",
        ),
        (
            "telegram",
            {"country": "Ukraine"},
            Code.INVALID,
            "The setting 'country' takes a text such as UA. It is for this: How phone numbers without a country code "
            "are read, ISO 3166. Empty: the workspace's country. Nothing was changed.",
        ),
        (
            "telegram",
            {"country": "ZZ"},
            Code.INVALID,
            "The setting 'country' takes a text such as UA. It is for this: How phone numbers without a country code "
            "are read, ISO 3166. Empty: the workspace's country. Nothing was changed.",
        ),
        (
            "form",
            {"currency": "UAN"},
            Code.INVALID,
            "The setting 'currency' takes a text such as UAH. It is for this: The currency of an amount that names "
            "none, ISO 4217. Empty: the workspace's currency. Nothing was changed.",
        ),
        (
            "monobank-personal",
            {"currency.abc": "dollar-ish"},
            Code.INVALID,
            "The setting 'currency.abc' takes a text such as USD. It is for this: The currency of one account, by its "
            "id at the bank. Nothing was changed.",
        ),
    ],
)
def test_settings_that_a_connector_cannot_use(
    connector: str, settings: dict[str, str], code: Code, message: str
) -> None:
    session = operator_session()
    session.refuses("connection_add", "settings", code, connector=connector, secret="s", settings=settings)
    with pytest.raises(Rejected, match=re.escape(message)):
        session.do("connection_add", connector=connector, secret="s", settings=settings)
