"""`crm connect` with a vendor's own key: what it says, and what it asks for when something is missing."""

import pytest
from typer.testing import CliRunner

from crm.activation.outcome import Activated
from crm.connector_catalogue import catalogue
from services.cli import app
from services.cli.activation import lines_of, shown
from services.cli.commands.connect import how_to_give

DONE = Activated(True, "shop_bot", ("The webhook is set at telegram.",), secret="s3cret")


def test_what_was_done_is_said() -> None:
    assert list(lines_of(DONE)) == ["  The vendor knows it as shop_bot.", "  The webhook is set at telegram."]


def test_what_is_left_is_said() -> None:
    assert list(lines_of(Activated(False, next="Set CRM_PUBLIC_URL."))) == ["  Still to do: Set CRM_PUBLIC_URL."]
    assert list(lines_of(Activated(True))) == ["  The webhook is set."]


def test_json_has_no_secret() -> None:
    assert shown(DONE) == {
        "active": True,
        "account": "shop_bot",
        "done": ["The webhook is set at telegram."],
        "next": None,
    }
    assert shown(None) is None


def test_what_may_be_given_is_named() -> None:
    assert how_to_give(catalogue()["telegram"]) == "Give the secret with --secret, or --token."
    assert how_to_give(catalogue()["typeform"]) == "Give the secret with --secret, or --token and --form."
    assert how_to_give(catalogue()["liqpay"]) == "Give it with --secret."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["telegram"], "With these settings no secret is needed: token: The bot's token from @BotFather"),
        (["telegram", "--token", "abc"], "The setting 'token' takes a text such as 123456789:AAE..."),
        (["telegram", "--secret", f"123456789:{'A' * 35}"], "What was given as the secret is the token"),
        (["stripe", "--token", "whsec_of_an_endpoint"], "The setting 'token' takes a text such as rk_live_..."),
    ],
)
def test_what_cannot_be_a_vendors_key_is_refused_with_a_sentence(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(app, ["connect", *arguments])
    said = " ".join(done.output.split())
    assert done.exit_code == 1 and sentence in said and said.endswith("Nothing was changed."), said
