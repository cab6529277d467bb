"""Given what a bot is told, then the message that somebody wrote."""

import json

import pytest

from crm.errors import Refused
from crm.facts import DeliveryKept, MessageReported
from crm.shared import Attachment
from services.connectors.rehearse import telegram_message, telegram_signed
from tests.unit.connectors.stage import NOW, connection, only, receive

BOT = connection("telegram", "T")
NINE = 1_791_190_860_000_000  # 2026-10-05T09:01:00Z


def test_a_message() -> None:
    fact = only(BOT, telegram_message("T", 7, 500, "  Є диван?\n", reply_to_message={"message_id": 3}))
    assert isinstance(fact, MessageReported)
    assert (fact.channel, fact.chat, fact.chat_kind, fact.message) == ("telegram", "500", "private", "7")
    assert (fact.sender, fact.sender_name, fact.text) == ("500", "Олена", "  Є диван?\n")
    assert (fact.reply_to, fact.edited_at, fact.meta.occurred_at) == ("3", None, NINE)


def test_an_edited_message_is_a_fact_of_its_own_about_the_same_message() -> None:
    first = only(BOT, telegram_message("T", 7, 500, "Є диван?"))
    edited = only(BOT, telegram_message("T", 8, 500, "Є стіл?", message_id=7, edit_date=1_791_190_900))
    assert (edited.message, edited.text, edited.edited_at) == ("7", "Є стіл?", NINE + 40_000_000)
    assert first.meta.id != edited.meta.id
    assert first.meta.stream == edited.meta.stream


@pytest.mark.parametrize(
    ("contact", "e164", "own"),
    [
        ({"phone_number": "380671234567", "user_id": 500}, "+380671234567", True),
        ({"phone_number": "+48501234567", "user_id": 500}, "+48501234567", True),
        ({"phone_number": "48501234567", "user_id": 501}, "+48501234567", False),
        ({"phone_number": "0671234567"}, "+380671234567", False),
    ],
)
def test_a_shared_phone_is_the_senders_own_only_if_telegram_says_so(
    contact: dict[str, object], e164: str, own: bool
) -> None:
    fact = only(BOT, telegram_message("T", 7, 500, contact=contact))
    assert (fact.shared_phone.text, fact.shared_phone.e164) == (contact["phone_number"], e164)
    assert fact.shared_is_own is own


def test_files_come_by_their_id_and_a_photo_in_its_largest_size() -> None:
    sizes = [{"file_id": "small", "file_size": 1_000}, {"file_id": "large", "file_size": 90_000}]
    photo = only(BOT, telegram_message("T", 7, 500, photo=sizes, caption="Ось він"))
    assert (photo.text, photo.attachments) == ("Ось він", (Attachment("photo", size=90_000, ref="large"),))
    clip = {"file_id": "gif", "file_name": "a.mp4", "mime_type": "video/mp4", "file_size": 5}
    moving = only(BOT, telegram_message("T", 8, 500, animation=clip, document=clip))
    assert moving.attachments == (Attachment("animation", "a.mp4", "video/mp4", 5, "gif"),)


def test_a_channels_post_is_the_channels() -> None:
    post = {
        "message_id": 1,
        "date": 1_791_190_860,
        "chat": {"id": -100, "title": "Новини", "type": "channel"},
        "text": "!",
    }
    fact = only(BOT, telegram_signed("T", json.dumps({"update_id": 7, "channel_post": post}).encode()))
    assert (fact.chat_kind, fact.sender, fact.sender_name) == ("channel", "-100", "Новини")


@pytest.mark.parametrize("kind", ["callback_query", "my_chat_member", "business_message", "something_new"])
def test_what_is_no_message_is_kept_under_its_kind(kind: str) -> None:
    fact = only(BOT, telegram_signed("T", json.dumps({"update_id": 7, kind: {"id": 1}}).encode()))
    assert isinstance(fact, DeliveryKept)
    assert fact.kind == kind


def test_somebody_who_joined_said_nothing() -> None:
    fact = only(BOT, telegram_message("T", 7, 500, new_chat_members=[{"id": 1}]))
    assert isinstance(fact, DeliveryKept)
    assert fact.kind == "message"


def test_the_same_update_is_the_same_fact_whenever_it_comes() -> None:
    post = telegram_message("T", 7, 500, "привіт")
    assert only(BOT, post).meta.id == only(BOT, post, NOW + 86_400_000_000).meta.id
    assert only(BOT, post).meta.id != only(BOT, telegram_message("T", 8, 500, "привіт")).meta.id


@pytest.mark.parametrize("token", ["", "t", "TT", "Т", "\ud800"])
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(Refused, match="secret token does not match"):
        receive(BOT, telegram_message(token, 7, 500, "привіт"))
