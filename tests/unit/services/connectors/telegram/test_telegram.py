"""Given an update of a bot, then the message that somebody wrote."""

import json
from typing import Any

import pytest

from crm.errors import Refused
from crm.facts import DeliveryKept, MessageReported
from crm.shared import Attachment
from tests.support.connector_deliveries import NOW, connection, only, receive
from tests.support.rehearse import Post, telegram_message, telegram_signed

BOT = connection("telegram", "T")
OLENA = {"id": 500, "is_bot": False, "first_name": "Олена", "type": "private"}
NINE = 1_791_190_860_000_000  # 2026-10-05T09:01:00Z


def update(number: int = 7, **said: object) -> Post:
    return telegram_signed("T", json.dumps({"update_id": number, **said}).encode())


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


def test_the_same_update_is_the_same_fact_whenever_it_comes() -> None:
    post = telegram_message("T", 7, 500, "привіт")
    assert only(BOT, post).meta.id == only(BOT, post, NOW + 86_400_000_000).meta.id
    assert only(BOT, post).meta.id != only(BOT, telegram_message("T", 8, 500, "привіт")).meta.id


def test_the_same_number_of_an_update_with_other_content_is_another_update() -> None:
    """Telegram begins to count again after a quiet week: what came then was taken for a repeat."""
    one, other = (update(message={"message_id": 1, "chat": OLENA, "from": OLENA, "text": text}) for text in "ab")
    assert only(BOT, one).meta.id != only(BOT, other).meta.id


def test_the_owners_answer_is_outgoing_and_names_the_customer() -> None:
    question = {"message_id": 1, "from": OLENA, "chat": OLENA, "business_connection_id": "bc", "text": "Скільки?"}
    fact = only(BOT, update(business_message=question))
    assert (fact.direction, fact.chat, fact.sender, fact.account) == ("in", "500", "500", "bc")
    fact = only(BOT, update(business_message=question | {"from": {"id": 9, "first_name": "Салон"}, "text": "450 грн"}))
    assert (fact.direction, fact.chat, fact.sender_name, fact.chat_title) == ("out", "500", "Салон", "Олена")


def test_messages_that_were_taken_back_are_a_report_each() -> None:
    value = {"business_connection_id": "bc", "chat": OLENA, "message_ids": [3, 4]}
    facts: list[Any] = receive(BOT, update(deleted_business_messages=value))
    assert sorted((fact.kind, fact.chat, fact.message, fact.account) for fact in facts) == [
        ("deleted", "500", "3", "bc"),
        ("deleted", "500", "4", "bc"),
    ]


@pytest.mark.parametrize(
    "author",
    [
        {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}, "sender_chat": {"id": -5, "title": "Сад"}},
        {"from": {"id": 777000, "first_name": "Telegram"}, "sender_chat": {"id": -7, "title": "Новини"}},
        {"from": {"id": 88, "is_bot": True, "first_name": "Helper"}},
        {"sender_chat": {"id": -7, "title": "Новини"}},
        {},
    ],
)
def test_who_is_no_person_is_the_chat(author: dict[str, object]) -> None:
    group = {"id": -5, "type": "supergroup", "title": "Сад"}
    fact = only(BOT, update(message={"message_id": 1, "chat": group, "text": "Увага", **author}))
    assert (fact.person, fact.sender, fact.chat_title, fact.username) == (False, "-5", "Сад", "")


def test_a_group_that_becomes_a_supergroup_says_both_ids() -> None:
    old, new = {"id": -5, "type": "group", "title": "Сад"}, {"id": -105, "type": "supergroup", "title": "Сад"}
    for said in (
        {"message_id": 9, "chat": old, "from": OLENA, "migrate_to_chat_id": -105},
        {"message_id": 1, "chat": new, "from": OLENA, "migrate_from_chat_id": -5},
    ):
        fact = only(BOT, update(message=said))
        assert (fact.chat, fact.former_chat, fact.kind, fact.chat_kind) == ("-105", "-5", "service", "group")


def test_a_file_without_a_size_or_an_id_costs_nothing() -> None:
    """A document without size lay in quarantine with all that was said with it."""
    for said in (
        {"file_name": "a.pdf"},
        {"file_name": "a.pdf", "file_size": "12 MB"},
        {"file_name": "a.pdf", "file_size": -1},
    ):
        fact = only(BOT, telegram_message("T", 7, 500, document=said, caption="Рахунок"))
        assert (fact.text, fact.attachments) == ("Рахунок", (Attachment("document", "a.pdf"),))


def test_edits_of_one_second_are_in_the_order_of_their_updates() -> None:
    first, second = (telegram_message("T", n, 500, "b", message_id=1, edit_date=1_791_190_900) for n in (8, 9))
    assert (only(BOT, first).revision, only(BOT, second).revision) == (8, 9)
    assert only(BOT, first).sent_at == only(BOT, second).sent_at == NINE


@pytest.mark.parametrize("token", ["", "t", "TT", "Т", "\ud800"])
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(Refused, match="secret token does not match"):
        receive(BOT, telegram_message(token, 7, 500, "привіт"))
