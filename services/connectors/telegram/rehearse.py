"""Updates of a Telegram bot."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from crm.connector import Delivery
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.values import text as text_of
from services.connectors.rehearsal import JSON, Post, Rehearsal, derived_secret, json_bytes, with_post

secret_of = partial(derived_secret, "telegram")


def message(secret: str, update: int, chat: int, text: str = "", /, **changes: Any) -> Post:
    """Returns a private message of the chat's owner; `changes` are its other fields (contact, photo, ...)."""
    person = {"id": chat, "is_bot": False, "first_name": changes.pop("first_name", "Олена")}
    fields = {
        "message_id": update,
        "from": person,
        "chat": {**person, "type": "private"},
        "date": 1791190860,
        **({"text": text} if text else {}),
        **changes,
    }
    kind = "edited_message" if "edit_date" in changes else "message"
    return signed(secret, json_bytes({"update_id": update, kind: fields}))


def signed(secret: str, body: bytes) -> Post:
    return {"content-type": JSON, "x-telegram-bot-api-secret-token": secret}, body


def write(seed: str, number: int, chat: int, text: str) -> Post:
    return message(secret_of(seed), number, chat, text)


def share_contact(seed: str, number: int, chat: int, phone: str, name: str) -> Post:
    """Returns the chat's owner's own number, in E.164."""
    own = {"phone_number": phone.lstrip("+"), "first_name": name, "user_id": chat}
    return message(secret_of(seed), number, chat, contact=own)


def sign_delivery(delivery: Delivery, seed: str) -> Delivery:
    return with_post(delivery, signed(secret_of(seed), delivery.body))


def take(path: str, body: bytes) -> tuple[bytes, tuple[str, str]] | None:
    if not path.endswith("/sendMessage"):
        return None
    sent = decode_object(body)
    result = {"message_id": int(time.time()), "date": int(time.time()), "text": sent["text"]}
    return json_bytes({"ok": True, "result": result}), (text_of(sent, "chat_id"), text_of(sent, "text"))


ACTIONS: dict[str, Callable[..., Post]] = {"write": write, "share_contact": share_contact}
REHEARSAL = Rehearsal(ACTIONS, secret_of, sign=sign_delivery, take=take, sends={"token": "100000:demo"})
