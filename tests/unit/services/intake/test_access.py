"""Connections and tokens as the topic crm.connections tells them, one record after the other."""

import hashlib
from pathlib import Path

from crm.adapters.kafka.directory import Access
from crm.connection_secrets import sealed
from crm.connector import Connection, Home
from crm.contract.codec import encode
from crm.facts import ConnectionDeclared, TokenDeclared, WorkspaceDeclared
from crm.scalars import Micros
from crm.secret_keys import SecretKeys, new_key
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


def declare_sealed(access: Access, keys: SecretKeys, secret: str = "s") -> None:
    fact = ConnectionDeclared(meta(OPEN), OPEN, "form", "Shop", secret, {"country": "UA"})
    access.take(OPEN.encode(), encode(sealed(fact, keys)))


def test_a_secret_is_decrypted_when_it_is_declared() -> None:
    keys = SecretKeys(new_key())
    access = Access(keys)
    declare_sealed(access, keys)
    assert access.connection(OPEN) == Connection(OPEN, WORKSPACE, "form", "s", {"country": "UA"}, "Shop")
    assert access.locked() is None


def test_what_lies_in_clear_is_read_as_before() -> None:
    access = Access(SecretKeys())
    declare(access, "s")
    assert access.connection(OPEN) == Connection(OPEN, WORKSPACE, "form", "s", {"country": "UA"}, "Shop")
    assert access.locked() is None


def test_a_process_that_needs_no_secret_has_none() -> None:
    access = Access()
    declare_sealed(access, SecretKeys(new_key()))
    found = access.connection(OPEN)
    assert found
    assert (found.secret, found.settings, found.connector) == ("", {}, "form")
    assert found.locked == "This process does not decrypt the secrets of connections."


def test_a_secret_comes_back_with_its_key(tmp_path: Path) -> None:
    file, key = tmp_path / "secrets.key", new_key()
    file.write_text(new_key())
    access = Access(SecretKeys(file=file))
    declare_sealed(access, SecretKeys(key))
    found = access.connection(OPEN)
    assert found
    assert (found.secret, found.settings) == ("", {})
    assert "which this process does not have" in found.locked
    assert access.locked() == ("None of the 1 secrets can be decrypted: CRM_SECRETS_KEY is missing or another one.")
    file.unlink()
    file.write_text(f"{new_key()}\n{key}\n")
    found = access.connection(OPEN)
    assert found
    assert (found.secret, found.locked, access.locked()) == ("s", "", None)


def test_a_connection_does_not_show_its_secret() -> None:
    access = Access()
    declare(access, "hush")
    assert "hush" not in repr(access.connection(OPEN))
