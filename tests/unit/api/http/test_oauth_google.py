"""Google's permission, rehearsed against the simulator: what a folder adds is one line of data."""

import pytest
from msgspec.structs import replace

from crm.connector_catalogue import catalogue
from crm.connector_settings import Setting
from crm.facts import ConnectionDeclared
from services.connectors.google_oauth import google
from tests.simulator.apis.oauth import agreed, declined
from tests.support.oauth import USED, Installation
from tests.support.scenarios import CONNECTION as KNOWN
from tests.support.scenarios import meta

FORMS = google("forms.body.readonly", "forms.responses.readonly")
SCOPES = "https://www.googleapis.com/auth/forms.body.readonly https://www.googleapis.com/auth/forms.responses.readonly"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Google Forms as it is, with a permission that it keeps in a setting."""
    entry = catalogue()["google-forms"]
    settings = *(one for one in entry.settings if one.name != "oauth"), Setting("oauth", "The permission.")
    known = {**catalogue(), entry.name: replace(entry, oauth=FORMS, settings=settings)}
    for place in ("api.commands.oauth", "crm.decisions.case", "api.commands.secrets"):
        monkeypatch.setattr(f"{place}.catalogue", lambda: known)
    return Installation("google-forms", known)


def test_it_asks_for_offline_access_and_for_the_consent_and_pkce(here: Installation) -> None:
    link = here.link().url
    assert link.startswith("https://accounts.google.com/o/oauth2/v2/auth?access_type=offline&prompt=consent&")
    assert "code_challenge_method=S256" in link


def test_the_permission_goes_into_the_setting_and_the_address_stays_unguessable(here: Installation) -> None:
    assert here.open(agreed(here.account, here.link(settings={"country": "UA"}).url)).status_code == 200
    (made,) = here.access.connections.values()
    assert made.settings == {"country": "UA", "oauth": "client-7:hush-client:r-code-1"} and len(made.secret) > 30
    assert not any("hush" in repr(event) or "r-code" in repr(event) for event in here.journal)
    (request,) = here.vendors.sent
    assert (request.base, request.target, request.any_host) == ("https://oauth2.googleapis.com", "/token", False)
    assert b"code_verifier=" in request.body
    renewed = here.link(known=made).url
    assert here.open(agreed(here.account, renewed)).status_code == 200
    after = here.access.connections[made.id]
    assert after.settings == {"country": "UA", "oauth": "client-7:hush-client:r-code-3"} and after.secret == made.secret
    here.refuses(agreed(here.account, renewed), USED)


def test_a_connection_by_webhook_gets_a_permission_and_keeps_its_address(here: Installation) -> None:
    here.access.learn(ConnectionDeclared(meta("made"), KNOWN, "google-forms", "Forms", "s3cret", {"honeypot": "x"}))
    link = here.link(known=here.access.connections[KNOWN]).url
    assert here.open(agreed(here.account, link)).status_code == 200
    after = here.access.connections[KNOWN]
    assert (after.secret, after.settings) == ("s3cret", {"honeypot": "x", "oauth": "client-7:hush-client:r-code-1"})
    assert here.declared[-1].secret == "" and here.declared[-1].settings == {}


def test_fewer_scopes_than_were_requested_are_refused(here: Installation) -> None:
    """People may leave a box unticked at Google."""
    here.refuses(
        agreed(here.account, here.link().url, SCOPES.split()[0]),
        f"Not everything was permitted that is needed: {SCOPES.split()[1]} is missing. Nothing was changed. "
        "Ask for a new link.",
    )


def test_without_the_consent_there_is_no_refresh_token(here: Installation) -> None:
    link = here.link().url.replace("prompt=consent", "prompt=none")
    here.refuses(
        agreed(here.account, link),
        "google-forms gave no refresh token, so the access would end within hours. Nothing was changed. "
        "Ask for a new link.",
    )
    here.refuses(
        declined(link),
        "google-forms says that access was not permitted: The user denied &lt;b&gt;access&lt;/b&gt;. "
        "Nothing was changed. Open the link again to permit it.",
    )


def test_what_comes_of_the_link_is_not_given_besides(here: Installation) -> None:
    with pytest.raises(ValueError, match="The setting 'oauth' comes of the link"):
        here.link(settings={"oauth": "a:b:c"})
