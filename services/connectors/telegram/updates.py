"""Telegram's updates that are no messages, as the message that each amounts to: a button that was pressed, a reaction,
somebody who blocked the bot (https://core.telegram.org/bots/api#update)."""

from collections.abc import Callable

from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.values import at, records, text
from services.connectors.telegram.words import joined, name_of, plainly, total, unknown

# What says nothing of a customer of ours: what people type to bots in other chats, sums over many, our own settings.
QUIET = {
    *("inline_query", "chosen_inline_result", "poll", "message_reaction_count", "business_connection"),
    *("chat_boost", "removed_chat_boost", "managed_bot"),
}
MEMBERS = {
    "kicked": "removed the bot",
    "left": "removed the bot",
    "member": "added the bot",
    "administrator": "made the bot an administrator",
    "restricted": "restricted the bot",
}
IN_PRIVATE = {"kicked": "blocked the bot", "member": "started the bot"}
OTHERS = {
    "kicked": "was removed",
    "left": "left",
    "member": "joined",
    "administrator": "is an administrator",
    "creator": "owns the chat",
    "restricted": "is restricted",
}


def button(query: Value) -> str:
    """Returns the label of the button, if the message that it belongs to still exists."""
    data = text(query, "data") or text(query, "game_short_name")
    rows = at(query, "message", "reply_markup", "inline_keyboard")
    keys = [key for row in listed(rows) for key in records({"": row}, "")]
    label = next((text(key, "text") for key in keys if text(key, "callback_data") == data), "")
    return f"Pressed: {label} ({data})" if label and label != data else f"Pressed: {data}"


def reaction(value: Value) -> str:
    marks = [text(mark, "emoji") or text(mark, "type") for mark in records(value, "new_reaction")]
    return f"[reacted {' '.join(marks)}]" if marks else "[took a reaction back]"


def bot_member(value: Value) -> str:
    status = text(value, "new_chat_member", "status")
    words = IN_PRIVATE if text(value, "chat", "type") == "private" else MEMBERS
    return f"[{words.get(status, status)}]"


def other_member(value: Value) -> str:
    member = at(value, "new_chat_member")
    status = text(member, "status")
    return f"[{name_of(at(member, 'user')) or 'somebody'} {OTHERS.get(status, status)}]"


def checkout(value: Value) -> str:
    order = plainly(at(value, "order_info"))
    return joined(f"About to pay {total(value)}", text(value, "invoice_payload"), order)


# Who and where, of any update.
ENVELOPE = {"id", "from", "user", "chat", "date", "message", "message_id", "business_connection_id"}
# What somebody does who wants something.
SAID: dict[str, Callable[[Value], str]] = {
    "callback_query": button,
    "pre_checkout_query": checkout,
    "shipping_query": lambda value: f"Delivery to: {plainly(at(value, 'shipping_address'))}",
    "purchased_paid_media": lambda value: f"Bought media: {text(value, 'paid_media_payload')}",
    "chat_join_request": lambda value: joined("Asks to join", text(value, "bio")),
}
HAPPENED: dict[str, Callable[[Value], str]] = {
    "my_chat_member": bot_member,
    "chat_member": other_member,
    "message_reaction": reaction,
    "poll_answer": lambda value: f"[chose in a poll: {', '.join(map(str, listed(at(value, 'option_ids'))))}]",
}


def listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []


def is_message(value: Value) -> bool:
    return isinstance(value, dict) and "message_id" in value and isinstance(value.get("chat"), dict)


def as_message(kind: str, value: Tree, id: str) -> tuple[Tree, str, bool] | None:
    """The message, its words, and whether it only happened; None for what no chat or person can be seen in."""
    author, chat = value.get("from") or value.get("user"), value.get("chat") or at(value, "message", "chat")
    if not isinstance(chat, dict):
        if not isinstance(author, dict):
            return None
        chat = {**author, "type": "private"}
    message: Tree = {
        "message_id": f"{kind}/{text(value, 'id') or id}",
        "chat": chat,
        "date": value.get("date"),
        "business_connection_id": value.get("business_connection_id") or at(value, "message", "business_connection_id"),
        "reply_to_message": {"message_id": value.get("message_id") or at(value, "message", "message_id")},
    }
    if author:
        message["from"] = author
    if write := SAID.get(kind):
        return message, write(value), False
    if write := HAPPENED.get(kind):
        return message, write(value), True
    of = {name: item for name, item in value.items() if name not in ENVELOPE}
    return message, unknown(kind, of={kind: of}), False
