"""Whatever Telegram tells of a customer can be read on the conversation, also what it invents tomorrow."""

import json
from typing import Any

import pytest

from crm.facts import DeliveryKept, MessageReported
from tests.support.connector_deliveries import connection, only
from tests.support.rehearse import telegram_message, telegram_signed

BOT = connection("telegram", "T")
OLENA = {"id": 500, "is_bot": False, "first_name": "Олена"}
PRIVATE, GROUP = {**OLENA, "type": "private"}, {"id": -5, "type": "supergroup", "title": "Сад"}
PLACE = {"latitude": 49.8397, "longitude": 24.0297}
SAID: list[tuple[dict[str, Any], str]] = [
    ({"location": PLACE}, "Location 49.8397, 24.0297"),
    ({"location": PLACE | {"live_period": 900}}, "Live location 49.8397, 24.0297 (for 900 s)"),
    (
        {"location": PLACE, "venue": {"location": PLACE, "title": "Кав'ярня", "address": "Ринок, 1"}},
        "Location 49.8397, 24.0297\nVenue: Кав'ярня, Ринок, 1",
    ),
    (
        {"contact": {"phone_number": "380631234567", "first_name": "Остап", "last_name": "Дуб", "user_id": 9}},
        "Contact card: Остап Дуб, +380631234567",
    ),
    (
        {
            "contact": {
                "phone_number": "063 123 45 67",
                "first_name": "Остап",
                "vcard": "BEGIN:VCARD\nTEL;TYPE=CELL:+380631234567\nORG:Майстерня\nEMAIL:o@example.com\nEND:VCARD",
            }
        },
        "Contact card: Остап, +380631234567 (063 123 45 67), Майстерня, o@example.com",
    ),
    ({"contact": {"phone_number": "12", "first_name": "Довідка"}}, "Contact card: Довідка, 12"),
    (
        {"web_app_data": {"button_text": "Замовити", "data": '{"phone":"0671234567","items":[{"name":"Шини","n":4}]}'}},
        "Замовити: phone: 0671234567, name: Шини, n: 4",
    ),
    ({"web_app_data": {"data": "0671234567 шини"}}, "Mini app: 0671234567 шини"),
    (
        {
            "successful_payment": {
                "currency": "UAH",
                "total_amount": 145_050,
                "invoice_payload": "order-12",
                "order_info": {"name": "Олена", "phone_number": "+380671234567"},
            }
        },
        "Paid 1450.50 UAH through Telegram, order-12, name: Олена, phone_number: +380671234567",
    ),
    ({"successful_payment": {"currency": "XTR", "total_amount": 50}}, "Paid 50 stars through Telegram"),
    (
        {"poll": {"question": "Коли?", "options": [{"text": "Сьогодні"}, {"text": "Завтра"}]}},
        "Poll: Коли? (Сьогодні; Завтра)",
    ),
    ({"dice": {"emoji": "🎲", "value": 4}}, "Dice 🎲 4"),
    ({"sticker": {"file_id": "s", "emoji": "👍"}}, "Sticker 👍"),
    ({"game": {"title": "Шахи", "description": "гра"}}, "Game: Шахи, гра"),
    ({"story": {"chat": {"title": "Новини"}, "id": 1}}, "Story of Новини"),
    ({"paid_media": {"star_count": 5, "paid_media": []}}, "Paid media for 5 stars"),
    ({"gift": {"gift": {"sticker": {"emoji": "🎁"}}, "text": "Дякую"}}, "Gift 🎁 Дякую"),
    ({"giveaway": {"winner_count": 3, "prize_description": "кава"}}, "Giveaway кава"),
    ({"users_shared": {"users": [{"user_id": 9, "first_name": "Остап", "username": "dub"}]}}, "Shared: Остап, dub"),
    ({"checklist": {"title": "Купити", "tasks": [{"text": "шини"}]}}, "Checklist: Купити (шини)"),
    ({"invoice": {"title": "Шини", "currency": "UAH", "total_amount": 100}}, "Invoice: Шини, 1.00 UAH"),
    ({"text": "Так", "quote": {"text": "Є?\nКоли?"}}, "> Є?\n> Коли?\nТак"),
    (
        {"text": "Прайс", "forward_origin": {"type": "hidden_user", "sender_user_name": "Хтось"}},
        "Прайс\n[forwarded from Хтось]",
    ),
    (
        {"hologram": {"text": "у 3D", "phone": "0671234567"}},
        "[a kind of message Potik does not know yet: hologram] text: у 3D, phone: 0671234567",
    ),
    ({}, "[a message without anything that Telegram shows to bots]"),
]
HAPPENED: list[tuple[dict[str, Any], str]] = [
    ({"new_chat_members": [{"id": 1, "first_name": "Ян"}]}, "[joined: Ян]"),
    ({"left_chat_member": {"id": 1, "first_name": "Ян"}}, "[left: Ян]"),
    ({"new_chat_title": "Город"}, "[the chat is called Город now]"),
    ({"pinned_message": {"message_id": 1, "text": "Правила"}}, "[pinned: Правила]"),
    ({"forum_topic_created": {"name": "a"}}, "[forum topic created]"),
    ({"video_chat_participants_invited": {}}, "[video chat participants invited]"),
]


@pytest.mark.parametrize(("said", "words"), SAID)
def test_what_somebody_says_can_be_read(said: dict[str, Any], words: str) -> None:
    fact = only(BOT, telegram_message("T", 7, 500, **said))
    assert isinstance(fact, MessageReported)
    assert (fact.text, fact.kind, fact.person) == (words, "", True)


@pytest.mark.parametrize(("said", "words"), HAPPENED)
def test_what_happens_in_a_chat_is_no_message_of_somebody(said: dict[str, Any], words: str) -> None:
    fact = only(BOT, telegram_message("T", 7, 500, **said))
    assert (fact.text, fact.kind) == (words, "service")


def other(kind: str, **value: Any) -> Any:
    return only(BOT, telegram_signed("T", json.dumps({"update_id": 7, kind: value}).encode()))


def test_a_button_is_read_by_its_words() -> None:
    keys = {"inline_keyboard": [[{"text": "Ціна", "callback_data": "price"}]]}
    message = {"message_id": 3, "chat": PRIVATE, "date": 1, "reply_markup": keys}
    fact = other("callback_query", id="1", data="price", message=message, **{"from": OLENA})
    assert (fact.text, fact.chat, fact.message, fact.reply_to) == (
        "Pressed: Ціна (price)",
        "500",
        "callback_query/1",
        "3",
    )
    bare = other("callback_query", id="1", data="price", **{"from": OLENA})
    assert (bare.text, bare.chat, bare.chat_kind, bare.kind) == ("Pressed: price", "500", "private", "")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("my_chat_member", {"chat": PRIVATE, "new_chat_member": {"status": "kicked"}}, "[blocked the bot]"),
        ("my_chat_member", {"chat": GROUP, "new_chat_member": {"status": "member"}}, "[added the bot]"),
        (
            "chat_member",
            {"chat": GROUP, "new_chat_member": {"status": "left", "user": {"id": 1, "first_name": "Ян"}}},
            "[Ян left]",
        ),
        (
            "message_reaction",
            {"chat": PRIVATE, "user": OLENA, "message_id": 3, "new_reaction": [{"type": "emoji", "emoji": "👍"}]},
            "[reacted 👍]",
        ),
        (
            "message_reaction",
            {"chat": PRIVATE, "user": OLENA, "message_id": 3, "new_reaction": []},
            "[took a reaction back]",
        ),
        ("poll_answer", {"user": OLENA, "option_ids": [1]}, "[chose in a poll: 1]"),
    ],
)
def test_what_somebody_does_in_a_chat_is_noted(kind: str, value: dict[str, Any], words: str) -> None:
    fact = other(kind, **{"from": OLENA, **value})
    assert (fact.text, fact.kind, fact.sender) == (words, "service", "500")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (
            "pre_checkout_query",
            {"id": "1", "currency": "UAH", "total_amount": 100, "order_info": {"phone_number": "0671234567"}},
            "About to pay 1.00 UAH, phone_number: 0671234567",
        ),
        ("shipping_query", {"id": "1", "shipping_address": {"city": "Львів"}}, "Delivery to: city: Львів"),
        ("chat_join_request", {"chat": GROUP, "bio": "садівниця"}, "Asks to join, садівниця"),
        (
            "hologram_query",
            {"text": "у 3D"},
            "[a kind of message Potik does not know yet: hologram_query] text: у 3D",
        ),
    ],
)
def test_what_somebody_wants_is_a_message(kind: str, value: dict[str, Any], words: str) -> None:
    fact = other(kind, **{"from": OLENA, **value})
    assert (fact.text, fact.kind, fact.sender_name) == (words, "", "Олена")


@pytest.mark.parametrize("kind", ["inline_query", "chosen_inline_result", "business_connection", "chat_boost"])
def test_what_says_nothing_of_a_customer_is_kept_raw(kind: str) -> None:
    assert isinstance(other(kind, user=OLENA, **{"from": OLENA}), DeliveryKept)
