"""The call-back of a vendor with OAuth: the owner has agreed, or has not; nothing is half-made, a link works once."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from msgspec.structs import replace

from crm import oauth_link
from crm.envelope import now
from crm.facts import ConnectionDeclared, TokenDeclared
from crm.oauth_link import opened
from crm.scalars import Id
from crm.secret_keys import SecretKeys, new_key
from tests.simulator.apis.oauth import agreed, declined
from tests.support.oauth import BASE, USED, Installation, said, state_of
from tests.support.scenarios import NOON, SHOP, meta

OTHER = Id("99999999-9999-5999-8999-999999999999")


def test_who_agrees_is_connected_with_the_refresh_token_encrypted() -> None:
    here = Installation()
    answer = here.open(agreed(here.account, here.link().url))
    (declared,) = here.declared
    id = declared.connection
    assert (answer.status_code, said(answer)) == (
        200, f"olx is connected ({id}): Shop at OLX. You can close this page.",
    )  # fmt: skip
    made = here.access.connections[id]
    assert (made.workspace, made.connector, made.name) == (SHOP, "olx", "Shop at OLX")
    assert made.secret == "client-7:hush-client:r-code-1"
    assert declared.secret == "" and b"hush" not in declared.sealed_secret
    assert not any("hush" in repr(event) or "r-code" in repr(event) for event in here.journal)
    assert answer.headers["cache-control"] == "no-store" and answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    (request,) = here.vendors.sent
    assert (request.base, request.target, request.any_host) == ("https://www.olx.ua", "/api/open/oauth/token", True)


def test_a_link_works_once_also_after_the_connection_was_removed() -> None:
    here = Installation()
    link = here.link().url
    here.open(agreed(here.account, link))
    here.refuses(agreed(here.account, link), USED)
    (id,) = here.access.connections
    here.access.learn(ConnectionDeclared(meta("gone"), id, "olx", "", "", {}, enabled=False))
    here.refuses(agreed(here.account, link), USED)
    assert len(here.vendors.sent) == 1  # a code that came with a used link is not sent anywhere


def test_two_call_backs_at_once_make_one_connection() -> None:
    """Another replica has ended the link while this one asked the vendor: the database says so, by the command's id."""
    here = Installation()
    link = here.link().url
    here.open(agreed(here.account, link))
    here.access.declared.clear()  # this replica has not heard of it
    here.refuses(agreed(here.account, link), USED)
    other = here.link().url
    here.busy.add(opened(state_of(other), here.keys, now()).command_id)
    here.refuses(agreed(here.account, other), USED)
    assert len(here.vendors.sent) == 1  # a second time would end what came of the first


def test_who_does_not_agree_may_still_do_so_by_the_same_link() -> None:
    here = Installation()
    link = here.link().url
    why = "olx says that access was not permitted: The user denied &lt;b&gt;access&lt;/b&gt;. Nothing was changed. "
    here.refuses(declined(link), why + "Open the link again to permit it.")
    assert here.open(agreed(here.account, link)).status_code == 200


@pytest.mark.parametrize(("age", "status"), [(-61, 400), (-60, 200), (0, 200), (600, 200), (601, 400)])
def test_a_link_is_good_for_ten_minutes(monkeypatch: pytest.MonkeyPatch, age: int, status: int) -> None:
    here = Installation()
    monkeypatch.setattr(oauth_link, "now", lambda: NOON)
    monkeypatch.setattr("api.http.oauth.now", lambda: NOON + age * 1_000_000)
    answer = here.open(agreed(here.account, here.link().url))
    assert answer.status_code == status and len(here.declared) == (status == 200)


def test_a_state_of_somebody_else_or_changed_is_refused() -> None:
    here = Installation()
    good = agreed(here.account, here.link().url)
    why = (
        "This link is not of this installation, or it was changed on its way. Nothing was changed. Ask for a new link."
    )
    state = dict(parse_qsl(urlsplit(good).query))["state"]
    for place in range(0, len(state), 7):
        changed = state[:place] + ("B" if state[place] == "A" else "A") + state[place + 1 :]
        here.refuses(good.replace(state, changed), why)
    for other in ("", "x", "ж", state[:40], state + "="):
        here.refuses(f"{BASE}/oauth/callback?code=code-1&state={other}", why)
    here.refuses(f"{good}&state=x", why)
    here.keys = SecretKeys(new_key())
    here.refuses(good, why)
    assert here.vendors.sent == []


def test_what_the_vendor_says_is_a_sentence_without_secrets() -> None:
    here = Installation()
    link = here.link().url
    unknown = agreed(here.account, link).replace("code-1", "code-9")
    here.refuses(
        unknown,
        "olx refused it (HTTP 400: Authorization code doesn&#x27;t exist or is invalid). "
        "Nothing was changed. Ask for a new link.",
    )
    here.account.secret = "another"
    here.refuses(
        agreed(here.account, link),
        "olx refused it (HTTP 401: Client credentials were not found). Nothing was changed. Ask for a new link.",
    )
    here.refuses(agreed(here.account, link).partition("code=")[0] + "state=" + state_of(link),
                 "olx sent no code. Nothing was changed. Ask for a new link.")  # fmt: skip


@pytest.mark.parametrize("trouble", ["429", "html", "redirect", "500"])
def test_a_vendor_in_trouble_leaves_the_link_as_it_was(trouble: str) -> None:
    here = Installation()
    link = here.link().url
    here.vendors.accounts.trouble["olx"] = trouble
    answer = here.open(agreed(here.account, link))
    assert answer.status_code == 400 and "Nothing was changed. Open the link again." in said(answer)
    here.vendors.accounts.trouble.clear()
    assert here.declared == [] and here.open(agreed(here.account, link)).status_code == 200


def test_without_kafka_the_code_is_not_used_up() -> None:
    here = Installation()
    here.kafka, call_back = False, agreed(here.account, here.link().url)
    here.refuses(call_back, "Kafka does not answer. Nothing was changed. Open the link again.", 503)
    here.kafka = True
    assert here.open(call_back).status_code == 200


def test_a_head_does_nothing() -> None:
    here = Installation()
    assert here.open(agreed(here.account, here.link().url), "HEAD").status_code == 405
    assert (here.declared, here.vendors.sent) == ([], [])


def test_a_connection_gets_a_new_permission_once() -> None:
    here = Installation()
    here.open(agreed(here.account, here.link(settings={"host": "www.olx.pl"}).url))
    (known,) = here.access.connections.values()
    first, second = (here.link(settings={}, known=known, name=known.name).url for _ in range(2))
    assert first.startswith("https://www.olx.pl/oauth/authorize/?")
    answer = here.open(agreed(here.account, first))
    assert said(answer) == f"olx has the new permission ({known.id}): Shop at OLX. You can close this page."
    changed = here.access.connections[known.id]
    assert changed.secret == "client-7:hush-client:r-code-3" and changed.settings == {"host": "www.olx.pl"}
    here.refuses(agreed(here.account, first), USED)
    here.refuses(agreed(here.account, second), USED)


def test_a_link_of_a_token_that_was_revoked_meanwhile_does_nothing() -> None:
    here = Installation()
    id = Id("33333333-3333-5333-8333-333333333333")
    declared = TokenDeclared(meta("token"), id, "Olena", "hash", ("connect",))
    link = here.link(token=id).url
    why = "The access token that this link was made with is revoked by now, or may connect nothing. Nothing was changed. Ask for a new link."  # noqa: E501
    here.refuses(agreed(here.account, link), why)
    for change in ({"scopes": ("read",)}, {"expires_at": NOON}, {"enabled": False}):
        here.access.learn(replace(declared, **change))
        here.refuses(agreed(here.account, link), why)
    assert here.vendors.sent == []
    here.access.learn(declared)
    assert here.open(agreed(here.account, link)).status_code == 200


def test_a_connection_that_is_another_workspaces_by_now_is_left_alone() -> None:
    """The state names the connection, and both have to be of one workspace."""
    here = Installation()
    here.open(agreed(here.account, here.link().url))
    (known,) = here.access.connections.values()
    link = here.link(known=known).url
    pending = opened(state_of(link), here.keys, now())
    forged = oauth_link.sealed(replace(pending, workspace=OTHER), here.keys)
    here.refuses(agreed(here.account, link).replace(state_of(link), forged), USED)
    assert len(here.vendors.sent) == 1
