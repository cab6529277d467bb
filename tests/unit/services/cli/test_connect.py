"""`crm connect`: the settings of a vendor are options, and a setting that does not fit is a sentence."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from crm.connector_catalogue import ConnectorEntry, catalogue
from crm.connector_settings import Setting
from services.cli import app
from services.cli.commands import connect
from services.cli.commands.connect import as_settings, connector_in, described
from tests.support.scenarios import SHOP
from tests.support.secret_keys import KEYS

ENTRY = ConnectorEntry(
    "acme",
    "Calls of Acme",
    "calls",
    "signature",
    "the key of the account.",
    (
        Setting("company_id", "The company.", required=True),
        Setting("retries", "How often.", "number", default="3"),
        Setting("rate.<queue>", "The rate of one queue."),
    ),
)


def test_options_of_a_vendor_are_settings() -> None:
    args = ["acme", "--company-id", "7", "--retries=2", "--name", "x"]
    assert list(as_settings(args, ENTRY)) == [
        "acme",
        "--setting=company_id=7",
        "--setting=retries=2",
        "--name",
        "x",
    ]
    with pytest.raises(ValueError, match="--retries needs a value"):
        list(as_settings(["acme", "--retries"], ENTRY))


def test_the_help_of_a_vendor_describes_its_secret_and_its_settings() -> None:
    assert list(described(ENTRY)) == [
        "acme: Calls of Acme.",
        "  --secret: the key of the account.",
        "  --company-id (text; required): The company.",
        "  --retries (a whole number; 3 if not given): How often.",
        "  --setting rate.<queue>=... (text): The rate of one queue.",
    ]


@pytest.mark.parametrize("name", catalogue())
def test_each_connector_has_a_help_of_its_own(name: str) -> None:
    done = CliRunner().invoke(app, ["connect", name, "--help"])
    assert done.exit_code == 0
    assert all(line in done.stdout for line in described(catalogue()[name]))


def test_a_connector_is_no_value_of_an_option() -> None:
    assert connector_in(["--name", "form", "liqpay"]) == catalogue()["liqpay"]
    assert connector_in(["--json", "form", "--name=liqpay"]) == catalogue()["form"]
    assert connector_in(["--name", "form"]) is None


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("connect form --compny 1", ""),
        ("connect binotel --setting compny=1", "binotel has no setting 'compny': it has company_id, country."),
        (
            "connect liqpay --secret s --sandbox perhaps",
            "The setting 'sandbox' takes yes or no. It is for this: Count test payments as money. "
            "Only for a test workspace.",
        ),
        ("connect binotel --company-id", "--company-id needs a value."),
    ],
)
def test_a_setting_that_does_not_fit_is_a_sentence(command: str, sentence: str) -> None:
    done = CliRunner().invoke(app, command.split())
    if sentence:
        assert (done.exit_code, done.stderr) == (1, f"{sentence} Nothing was changed.\n")
    else:
        assert done.exit_code == 2
        assert "No such option" in done.stderr
    assert "Traceback" not in done.output


def test_a_bot_token_is_not_taken_for_the_secret() -> None:
    done = CliRunner().invoke(app, ["connect", "telegram", "--secret", "123456789:AAFexample"])
    why = f"What was given cannot be the secret that telegram needs: {catalogue()['telegram'].secret}"
    assert (done.exit_code, done.stderr) == (1, f"{why} Nothing was changed.\n")


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> None:
    where = SimpleNamespace(kafka_bootstrap="", database_url="", intake_url="http://127.0.0.1:8080", keys=KEYS)
    monkeypatch.setattr(connect, "target", lambda data: where)
    monkeypatch.setattr(connect, "existing_workspace", lambda workspace, data: SHOP)
    monkeypatch.delenv("CRM_PUBLIC_URL", raising=False)


@pytest.mark.usefixtures("installation")
def test_a_vendor_with_oauth_is_connected_by_a_link() -> None:
    given = ["connect", "olx", "--client-id", "7", "--client-secret", "hush", "--host", "www.olx.pl"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0 and "hush" not in done.output
    first, link, redirect, near = done.output.splitlines()
    assert first == "Open this link as the owner of the account, within ten minutes, and agree. It works once:"
    assert link.startswith("https://www.olx.pl/oauth/authorize/?response_type=code&client_id=7&")
    assert redirect == (
        "Your application at olx must allow this redirect address: http://127.0.0.1:8080/oauth/callback"
    )
    assert near == "Only this machine can reach this address; set CRM_PUBLIC_URL or run a tunnel."


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["olx", "--client-id", "7"], "olx needs the id and the secret of your application"),
        (["olx", "--client-id", "7", "--client-secret", "x", "--host", "evil.example"], "host"),
        (["olx", "--client-id", "7", "--secret", "a:b:c"], "leave --secret out"),
        (["form", "--client-id", "7", "--client-secret", "x"], "form gives no access by a link"),
    ],
)
def test_what_gives_no_link_is_a_sentence(given: list[str], why: str) -> None:
    done = CliRunner().invoke(app, ["connect", *given])
    said = " ".join(done.output.split())
    assert done.exit_code and why in said and said.count("Nothing was changed.") == 1
