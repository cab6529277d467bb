"""What a Telegram message holds besides text, as words that a salesperson reads and `search` finds.

https://core.telegram.org/bots/api#message lists the fields; what is in none of the tables here is a kind that Telegram
added since, and is said to be one.
"""

import re
from collections.abc import Callable, Iterator

from crm.errors import Malformed
from crm.money import DECIMALS, money_text
from crm.phones import read_phone
from crm.shared import Phone
from services.connectors.formats.exact_json import Tree, Value, decode
from services.connectors.formats.values import at, records, text, verbatim, whole_or_none

LONGEST = 3_000  # characters of what is put into words
OF_VCARD = re.compile(r"^(?:TEL|EMAIL|ORG|TITLE|NOTE)[^:\r\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
FILES = ("animation", "document", "audio", "voice", "video", "video_note", "sticker", "photo")
Words = Callable[[Value], str]


def name_of(author: Value) -> str:
    return " ".join(filter(None, (text(author, "first_name"), text(author, "last_name")))) or text(author, "title")


def phone_of(card: Value, country: str) -> Phone:
    """Reads the phone of a contact card: Telegram may leave out the plus of an international number."""
    given = text(card, "phone_number")
    whole_number = given.isdecimal() and len(given) > 10 and given[0] != "0"
    return Phone(given, read_phone(f"+{given}", country).e164) if whole_number else read_phone(given, country)


def plain(value: Value) -> str:
    return text({"": value}, "")


def listed(value: Value) -> list[Tree]:
    return records({"": value}, "")


def flat(value: Value, name: str = "") -> Iterator[str]:
    """Yields every text and number with its name: "phone: 0671234567"."""
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from flat(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from flat(item, name)
    elif words := plain(value):
        yield f"{name}: {words}" if name else words


def plainly(value: Value) -> str:
    return ", ".join(flat(value))


def joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def place(value: Value) -> str:
    return f"{text(value, 'latitude')}, {text(value, 'longitude')}"


def location(value: Value) -> str:
    live = text(value, "live_period")
    return f"Live location {place(value)} (for {live} s)" if live else f"Location {place(value)}"


def venue(value: Value) -> str:
    """Returns title and address; the message has the location in a field of its own."""
    return f"Venue: {joined(text(value, 'title'), text(value, 'address'))}"


def poll(value: Value) -> str:
    options = "; ".join(text(option, "text") for option in records(value, "options"))
    return f"Poll: {text(value, 'question')} ({options})"


def checklist(value: Value) -> str:
    return f"Checklist: {text(value, 'title')} ({'; '.join(text(task, 'text') for task in records(value, 'tasks'))})"


def total(value: Value) -> str:
    """Telegram counts in the smallest units of ISO 4217's currencies, and in whole stars."""
    minor, currency = whole_or_none(value, "total_amount"), text(value, "currency")
    if minor is None or currency not in DECIMALS:
        return f"{text(value, 'total_amount')} {'stars' if currency == 'XTR' else currency}".strip()
    return money_text(minor, currency)


def paid(value: Value) -> str:
    order = plainly(at(value, "order_info"))
    return joined(f"Paid {total(value)} through Telegram", text(value, "invoice_payload"), order)


def web_app(value: Value) -> str:
    """Returns the data of a mini app, which is mostly JSON."""
    data = text(value, "data")
    try:
        said = plainly(decode(data)) or data
    except Malformed:
        said = data
    return f"{text(value, 'button_text') or 'Mini app'}: {said}"


def shared(value: Value) -> str:
    people = [joined(name_of(user), text(user, "username")) for user in records(value, "users")]
    return f"Shared: {'; '.join(filter(None, people)) or name_of(value) or plainly(value)}"


def people(*names: str) -> str:
    return joined(*names) or "somebody"


def short(value: Value) -> str:
    """Returns the beginning of a message that another one mentions."""
    return (verbatim(value, "text") or verbatim(value, "caption"))[:80]


# What somebody says. A photo, a voice message and the like are files and need no words.
SAID: dict[str, Words] = {
    "venue": venue,
    "location": location,
    "poll": poll,
    "checklist": checklist,
    "dice": lambda value: f"Dice {text(value, 'emoji')} {text(value, 'value')}",
    "sticker": lambda value: f"Sticker {text(value, 'emoji')}".strip(),
    "game": lambda value: f"Game: {joined(text(value, 'title'), text(value, 'description'))}",
    "story": lambda value: f"Story of {name_of(at(value, 'chat')) or 'a chat'}",
    "paid_media": lambda value: f"Paid media for {text(value, 'star_count')} stars",
    "live_photo": lambda _: "Live photo",
    "gift": lambda value: f"Gift {text(value, 'gift', 'sticker', 'emoji')} {text(value, 'text')}".strip(),
    "unique_gift": lambda value: f"Gift {text(value, 'gift', 'base_name')} {text(value, 'gift', 'number')}".strip(),
    "giveaway": lambda value: f"Giveaway {text(value, 'prize_description')}".strip(),
    "giveaway_winners": lambda value: f"Giveaway won by {people(*map(name_of, records(value, 'winners')))}",
    "invoice": lambda value: f"Invoice: {joined(text(value, 'title'), text(value, 'description'), total(value))}",
    "successful_payment": paid,
    "web_app_data": web_app,
    "users_shared": shared,
    "user_shared": shared,
    "chat_shared": shared,
    "passport_data": lambda _: "Telegram Passport: documents, encrypted",
}
# What happens in a chat: nobody says it.
HAPPENED: dict[str, Words] = {
    "new_chat_members": lambda value: f"joined: {people(*map(name_of, listed(value)))}",
    "left_chat_member": lambda value: f"left: {people(name_of(value))}",
    "new_chat_title": lambda value: f"the chat is called {plain(value)} now",
    "new_chat_photo": lambda _: "the chat has a new picture",
    "delete_chat_photo": lambda _: "the chat's picture was taken away",
    "group_chat_created": lambda _: "the group was made",
    "supergroup_chat_created": lambda _: "the group was made",
    "channel_chat_created": lambda _: "the channel was made",
    "migrate_to_chat_id": lambda value: f"the group became a supergroup, {plain(value)}",
    "migrate_from_chat_id": lambda value: f"the group became this supergroup; it was {plain(value)}",
    "pinned_message": lambda value: f"pinned: {short(value) or 'a message'}",
    "refunded_payment": lambda value: f"given back: {total(value)}",
    "connected_website": lambda value: f"logged in at {plain(value)}",
    "write_access_allowed": lambda _: "allowed the bot to write",
    "proximity_alert_triggered": lambda value: f"{name_of(at(value, 'traveler'))} is near",
    "video_chat_scheduled": lambda _: "a video chat is planned",
    "video_chat_started": lambda _: "a video chat began",
    "video_chat_ended": lambda value: f"a video chat ended after {text(value, 'duration')} s",
}
# Telegram goes on inventing these; their names say what happened.
HAPPENS = re.compile(
    r"forum_topic_|general_forum_topic_|video_chat_|voice_chat_|giveaway_(?:created|completed)|boost_added|chat_owner_|"
    r"chat_background_|checklist_tasks_|message_auto_delete_|suggested_post_(?!info)|gift_upgrade_|"
    r"(?:direct|paid)_message_price_"
)
FORWARDED = ("forward_origin", "forward_sender_name", "forward_from", "forward_from_chat")
# What a message says of itself.
ENVELOPE = {
    *("message_id", "message_thread_id", "direct_messages_topic", "from", "sender_chat", "sender_boost_count"),
    *("sender_business_bot", "sender_tag", "date", "business_connection_id", "chat", "is_topic_message", "via_bot"),
    *("is_automatic_forward", "reply_to_message", "external_reply", "quote", "reply_to_story", "edit_date", "text"),
    *("reply_to_checklist_task_id", "reply_to_poll_option_id", "has_protected_content", "is_from_offline", "caption"),
    *("is_paid_post", "media_group_id", "author_signature", "paid_star_count", "entities", "link_preview_options"),
    *("suggested_post_info", "effect_id", "caption_entities", "show_caption_above_media", "has_media_spoiler"),
    *("reply_markup", "forward_origin", "forward_from", "forward_from_chat", "forward_from_message_id", "contact"),
    *("forward_signature", "forward_sender_name", "forward_date", "new_chat_member", "new_chat_participant"),
    *("left_chat_participant", "guest_query_id"),
}


def contact(card: Value, country: str) -> str:
    """Returns name, number and the other details of a contact card."""
    phone = phone_of(card, country)
    also = [more.strip() for more in OF_VCARD.findall(verbatim(card, "vcard"))]
    known = {phone.text.lstrip("+"), phone.e164.lstrip("+")}
    more = [one for one in also if "".join(c for c in one if c.isalnum()) not in known]
    number = phone.e164 or phone.text
    given = "" if phone.text.lstrip("+") == number.lstrip("+") else f"({phone.text})"
    return f"Contact card: {joined(name_of(card), f'{number} {given}'.strip(), *more)}"


def origin(message: Value) -> str:
    """Returns who wrote a forwarded message."""
    if not isinstance(message, dict) or message.keys().isdisjoint(FORWARDED):
        return ""
    words = at(message, "forward_origin")
    who = name_of(at(words, "sender_user")) or text(words, "sender_user_name")
    who = who or name_of(at(words, "sender_chat")) or name_of(at(words, "chat")) or text(message, "forward_sender_name")
    who = who or name_of(at(message, "forward_from")) or name_of(at(message, "forward_from_chat"))
    return f"[forwarded from {who}]" if who else ""


def words_of(message: Value, country: str) -> tuple[str, bool]:
    """Returns a message's words, and whether it is only an event of the chat."""
    fields = message if isinstance(message, dict) else {}
    own = verbatim(fields, "text") or verbatim(fields, "caption")
    said = [SAID[name](value) for name, value in fields.items() if name in SAID]
    if fields.get("contact"):
        said.append(contact(fields["contact"], country))
    if own or said or any(fields.get(name) for name in FILES):
        quoted = [f"> {line}" for line in verbatim(fields, "quote", "text").splitlines()] if "quote" in fields else ()
        return "\n".join(filter(None, (*quoted, own, "\n".join(said)[:LONGEST], origin(fields)))), False
    happened = [f"[{write(fields[name])}]" for name, write in HAPPENED.items() if name in fields]
    happened += [f"[{name.replace('_', ' ')}]" for name in fields if name not in HAPPENED and HAPPENS.match(name)]
    if happened:
        return "\n".join(happened)[:LONGEST], True
    return unknown(*(name for name in fields if name not in ENVELOPE), of=fields), False


def unknown(*kinds: str, of: Value) -> str:
    """Returns the readable content of a kind that is not known here yet."""
    if not kinds:
        return "[a message without anything that Telegram shows to bots]"
    words = ", ".join(detail for kind in kinds for detail in flat(at(of, kind)))
    return f"[a kind of message Potik does not know yet: {', '.join(kinds)}] {words}".strip()[:LONGEST]
