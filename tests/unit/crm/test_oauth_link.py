"""A link of OAuth: what is in it, what is not, and what cannot be the id and the secret of an application."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from crm.activation.declared import OAuth
from crm.activation.oauth import authorize_link, challenge, code_request
from crm.connector_catalogue import catalogue
from crm.oauth_link import new_link, opened
from crm.scalars import Id
from tests.support.scenarios import SHOP
from tests.support.secret_keys import KEYS

OLX = catalogue()["olx"]
VENDOR = OAuth(
    "https://id.example/auth?tenant={tenant}", "https://id.example/token?v=1", ("a", "b"), {"prompt": "consent"}
)


def test_a_link_of_olx_shows_no_secret() -> None:
    link = new_link(OLX, KEYS, "https://crm.example.com", SHOP, (" 7 ", "hush"), {}, name="Shop")
    parameters = dict(parse_qsl(urlsplit(link.url).query))
    state = parameters.pop("state")
    assert link.url.startswith("https://www.olx.ua/oauth/authorize/?")
    assert parameters == {
        "response_type": "code",
        "client_id": "7",
        "redirect_uri": "https://crm.example.com/oauth/callback",
        "scope": "read write v2",
    }
    assert "hush" not in link.url and b"hush" not in state.encode()
    made = opened(state, KEYS, link.expires_at)
    assert (made.workspace, made.connector, made.name, made.client) == (SHOP, "olx", "Shop", ("7", "hush"))
    assert repr(made) == f"Pending(olx, {made.made})"


def test_with_pkce_the_verifier_goes_with_the_code_alone() -> None:
    """The verifier and its challenge are those of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    link = authorize_link(VENDOR, {"tenant": "t1"}, "7", "https://crm/cb", "s", verifier)
    parameters = dict(parse_qsl(urlsplit(link).query))
    assert (parameters["tenant"], parameters["prompt"], parameters["scope"]) == ("t1", "consent", "a b")
    assert parameters["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == challenge(verifier)
    assert parameters["code_challenge_method"] == "S256" and verifier not in link
    sent = code_request("x", VENDOR, {}, ("7", "hush"), "c/1", "https://crm/cb", verifier)
    assert (sent.base, sent.target, sent.any_host) == ("https://id.example", "/token?v=1", False)
    assert dict(parse_qsl(sent.body.decode())) == {
        "grant_type": "authorization_code",
        "code": "c/1",
        "redirect_uri": "https://crm/cb",
        "client_id": "7",
        "client_secret": "hush",
        "code_verifier": verifier,
    }


@pytest.mark.parametrize("client", [("", "x"), ("7", " "), ("7:8", "x"), ("7", "x:y"), ("7", "x\ny")])
def test_what_cannot_be_an_application_is_refused(client: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="needs the id and the secret of your application"):
        new_link(OLX, KEYS, "https://crm.example.com", SHOP, client, {})


def test_what_else_gives_no_link() -> None:
    with pytest.raises(ValueError, match="host"):
        new_link(OLX, KEYS, "https://crm.example.com", SHOP, ("7", "x"), {"host": "evil.example"})
    with pytest.raises(ValueError, match="form gives no access by a link"):
        new_link(catalogue()["form"], KEYS, "https://crm.example.com", Id(SHOP), ("7", "x"), {})
