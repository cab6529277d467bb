"""Connections and tokens: what the journal is told of them, which is never a secret."""

from crm.commands import Code
from crm.contract.codec import encode
from crm.decisions.commands import COMMANDS, connection_add, digest
from crm.events import (
    CommandAccepted,
    ConnectionAdded,
    ConnectionRemoved,
    ConnectionRotated,
    TokenCreated,
    TokenRevoked,
)
from crm.scalars import Id
from services.cli.commands import connect
from services.stack import access
from tests.support.operator import at_the_desk, command
from tests.support.scenarios import NOON, an

SOME = Id("33333333-3333-5333-8333-333333333333")


def test_a_connection_is_added_rotated_and_removed_without_its_secret() -> None:
    desk = at_the_desk().do(
        "connection_add",
        connector="telegram",
        name="Bot",
        secret="hush-1",
        settings={"token": "hush-2"},
        setting_names=["token"],
    )
    desk.then(an(ConnectionAdded, connector="telegram", name="Bot", settings=("token",)))
    id = desk.events[0].connection_id
    known = {"connection_id": id, "connector": "telegram", "name": "Bot"}
    desk.do("connection_rotate", **known, secret="hush-3").then(
        an(ConnectionRotated, connection_id=id, connector="telegram")
    )
    desk.do("connection_remove", **known, why="no more").then(an(ConnectionRemoved, connection_id=id, why="no more"))
    desk.refuses("connection_remove", "connectionId", Code.NOT_FOUND, **known)
    assert not any(b"hush" in encode(event) for event in desk.decide.journal)
    assert desk.every(CommandAccepted)[0].input == '{"connector":"telegram","name":"Bot"}'


def test_what_no_connection_can_be() -> None:
    desk = at_the_desk()
    desk.refuses("connection_add", "connector", Code.NOT_FOUND, connector="fax")
    desk.refuses("connection_add", "secret", Code.REQUIRED, connector="liqpay")
    desk.refuses("connection_rotate", "connectionId", Code.NOT_FOUND, connection_id=SOME)
    desk.refuses("connection_rotate", "secret", Code.REQUIRED, connection_id=SOME, connector="liqpay")
    desk.do("connection_add", connector="form").then(an(ConnectionAdded, name="form"))


def test_a_token_is_made_and_revoked() -> None:
    desk = at_the_desk().do("token_create", name="Reports", scopes=["read", "write", "read"], expires_at=NOON + 1)
    desk.then(an(TokenCreated, name="Reports", scopes=("read", "write"), expires_at=NOON + 1))
    known = {"token_id": desk.events[0].token_id, "name": "Reports", "scopes": ["read"]}
    desk.do("token_revoke", **known, why="leaked").then(an(TokenRevoked, name="Reports", why="leaked"))
    desk.refuses("token_revoke", "tokenId", Code.NOT_FOUND, **known)
    desk.refuses("token_revoke", "tokenId", Code.NOT_FOUND, token_id=SOME)
    desk.refuses("token_create", "scopes", Code.REQUIRED, name="x", scopes=[])
    desk.refuses("token_create", "name", Code.REQUIRED, name=" ", scopes=["read"])
    desk.refuses("token_create", "expiresAt", Code.INVALID, name="x", scopes=["read"], expires_at=NOON)


def test_the_digest_of_an_input_helps_nobody_to_guess_its_secret() -> None:
    """It lies in the journal. So another secret under the same key is taken for the same command."""
    one, other = (command("connection_add", "k", connector="liqpay", secret=secret) for secret in ("a", "b"))
    named = command("connection_add", "k", connector="liqpay", secret="a", name="x")
    declared = COMMANDS["connection_add"]
    assert digest(declared, one) == digest(declared, other) != digest(declared, named)


def test_the_command_line_knows_the_same_connectors() -> None:
    assert connection_add.CONNECTORS == connect.CONNECTORS
    assert connection_add.UNSIGNED == access.UNSIGNED
