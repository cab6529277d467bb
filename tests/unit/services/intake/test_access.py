"""Connections and tokens as the topic crm.connections tells them, one record after the other."""

import hashlib

from crm.adapters.kafka.directory import Access
from crm.connector import Connection, Home
from crm.contract.codec import encode
from crm.facts import ConnectionDeclared, TokenDeclared, WorkspaceDeclared
from crm.scalars import Micros
from tests.support.intake_server import NOON, OPEN, TOKENS, WORKSPACE, WRITER, meta

TOKEN = TOKENS[WRITER]


def declare(access: Access, secret: str, enabled: bool = True) -> None:
    fact = ConnectionDeclared(meta(OPEN), OPEN, "form", "Shop", secret, {"country": "UA"}, enabled)
    access.take(OPEN.encode(), encode(fact))


def issue(access: Access, text: str, enabled: bool = True, expires_at: Micros | None = None) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()
    fact = TokenDeclared(meta(TOKEN), TOKEN, "Shop", digest, ("write",), expires_at, enabled)
    access.take(TOKEN.encode(), encode(fact))


def test_the_newest_declaration_counts() -> None:
    access = Access()
    declare(access, "old")
    declare(access, "new")
    assert access.connection(OPEN) == Connection(OPEN, WORKSPACE, "form", "new", {"country": "UA"}, "Shop")


def test_a_disabled_connection_is_unknown_until_it_is_enabled() -> None:
    access = Access()
    declare(access, "s", enabled=False)
    assert access.connection(OPEN) is None
    declare(access, "s")
    assert access.connection(OPEN) is not None


def test_what_is_gone_is_unknown() -> None:
    access = Access()
    declare(access, "s")
    issue(access, "text")
    for key in (OPEN, TOKEN, "never declared"):
        access.take(key.encode(), None)
    assert access.connection(OPEN) is None
    assert access.token("text") is None
    assert access.tokens == {}


def test_a_token_is_known_by_its_text_alone() -> None:
    access = Access()
    issue(access, "text")
    token = access.token("text")
    assert token is not None
    assert (token.id, token.workspace, token.scopes, token.name) == (TOKEN, WORKSPACE, {"write"}, "Shop")
    assert access.token("other") is None
    assert access.token("") is None
    assert access.token("\ud800") is None


def test_a_token_declared_again_replaces_the_one_before() -> None:
    access = Access()
    issue(access, "first")
    issue(access, "second")
    assert access.token("first") is None
    assert access.token("second") is not None
    issue(access, "second", enabled=False)
    assert access.token("second") is None


def test_a_token_ends_at_its_moment() -> None:
    access = Access()
    issue(access, "text", expires_at=NOON)
    assert access.token("text", Micros(NOON - 1)) is not None
    assert access.token("text", NOON) is None
    assert access.token("text") is None


def test_a_declaration_that_cannot_be_read_leaves_the_one_before() -> None:
    access = Access()
    declare(access, "s")
    access.take(OPEN.encode(), b"\0\0\0\xff\xff broken")
    assert access.connection(OPEN) is not None


def test_a_workspace_says_what_holds_for_its_connections_before_and_after() -> None:
    """Numbers of a Polish workspace were read as Ukrainian ones unless each connection said otherwise."""
    access, poland = Access(), Home("PL", "PLN", "Europe/Warsaw")
    declare(access, "before")
    assert (access.connections[OPEN].home, access.home(WORKSPACE)) == (Home(), Home())
    fact = WorkspaceDeclared(meta(WORKSPACE), "Shop", "PL", "PLN", "Europe/Warsaw")
    access.take(WORKSPACE.encode(), encode(fact))
    assert (access.connections[OPEN].home, access.home(WORKSPACE)) == (poland, poland)
    declare(access, "after")
    assert access.connection(OPEN) == Connection(
        OPEN, WORKSPACE, "form", "after", {"country": "UA"}, "Shop", home=poland
    )
    assert access.home(OPEN) == Home()
