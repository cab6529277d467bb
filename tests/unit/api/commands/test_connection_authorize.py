"""connectionAuthorize: a link, or why there is none."""

import asyncio
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from api.commands.connection_authorize import body
from api.commands.inputs import SettingInput
from crm.adapters.kafka.directory import Access, Token
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from tests.support.scenarios import CONNECTION, SHOP, meta
from tests.support.secret_keys import KEYS

GIVEN = {"connector": "olx", "client_id": "7", "client_secret": "hush"}


def ask(workspace: Id = SHOP, scopes: frozenset[str] = frozenset(("connect",)), **given: Any) -> dict[str, Any]:
    access = Access(KEYS)
    access.learn(ConnectionDeclared(meta("made"), CONNECTION, "olx", "Shop", "7:hush:r1", {"host": "www.olx.pl"}))
    token, executor = Token(CONNECTION, workspace, scopes, "Olena"), SimpleNamespace(access=access, keys=KEYS)
    info: Any = SimpleNamespace(
        context=SimpleNamespace(token=token, executor=executor, intake_url="https://crm.example.com")
    )
    return asyncio.run(body(None, info, **{**GIVEN, **given}))


def test_a_link_and_the_address_that_the_application_must_allow() -> None:
    done = ask(settings=[SettingInput(key="host", value="www.olx.pt")])
    assert done["link"].startswith("https://www.olx.pt/oauth/authorize/?") and "hush" not in done["link"]
    assert done["redirect_url"] == "https://crm.example.com/oauth/callback"
    assert isinstance(done["expires_at"], datetime) and (done["warning"], done["user_errors"]) == (None, [])


def test_a_connection_gets_a_new_permission_in_its_own_workspace() -> None:
    assert ask(connection_id=CONNECTION)["link"].startswith("https://www.olx.pl/")
    other = Id("99999999-9999-5999-8999-999999999999")
    assert refused(ask(other, connection_id=CONNECTION)) == (
        f"There is no connection {CONNECTION} of olx. Nothing was changed."
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"connector": "form"}, "form gives no access by a link. Nothing was changed."),
        ({"connector": "fax"}, "This vendor gives no access by a link. Nothing was changed."),
        (
            {"client_secret": ""},
            "olx needs the id and the secret of your application, as the vendor shows them. Nothing was changed.",
        ),
    ],
)
def test_what_gives_no_link(given: dict[str, str], why: str) -> None:
    assert refused(ask(**given)) == why


def test_a_token_that_only_reads_gets_no_link() -> None:
    with pytest.raises(Exception, match="connect"):
        ask(scopes=frozenset(("read",)))


def refused(done: dict[str, Any]) -> str:
    (error,) = done["user_errors"]
    assert done["link"] is None
    said: str = error["message"]
    return said
