"""WhatsApp's messages: who wrote them, and what they say
(https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from crm.connector import Report
from crm.errors import Malformed
from crm.phones import read_phone
from crm.shared import Attachment
from services.connectors.chat import Channel, card, international, joined, lines, place, plainly, unknown
from services.connectors.formats.exact_json import Tree, Value, decode
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, first, records, required, text, verbatim, whole_or_none

FILES = {name: name for name in ("video", "audio", "document", "sticker")} | {"image": "photo"}
# What happens in a chat and nobody says.
HAPPENS = ("reaction", "system", "request_welcome")


class Said(NamedTuple):
    """Reads the messages of one change: `value` has the contacts that they are of. `ours`: we sent them ourselves."""

    channel: Channel
    value: Value
    country: str
    ours: bool

    def reports(self, message: Tree) -> list[Report]:
        """Returns one report. The customer's account is their number, or their id where WhatsApp hides the number."""
        names = ("to", "to_user_id") if self.ours else ("from", "from_user_id")
        who, id = first(message, *names), required(message, "id")
        if not who:
            raise Malformed(f"It does not say {names[0]!r}: whose chat the message {id} is in.")
        kind, group = text(message, "type"), text(message, "group_id")
        moment = moment_or_none(whole_or_none(message, "timestamp"))
        said = {"sender_name": name_of(self.value, who), **self.sender(message, who)}
        if group:
            said |= {"chat_kind": "group", "sender": who}
        chat = group or who
        changed = text(message, kind, "original_message_id")
        if kind == "revoke" and changed:
            return [self.channel.deleted(chat, changed, moment, **said)]
        if kind == "edit" and changed:
            newer = at(message, "edit", "message")
            return [self.channel.edit(chat, changed, moment, id, **said, **content_of(newer, self.country))]
        if kind in HAPPENS:
            return [self.happened(chat, id, moment, message, said)]
        reply = text(message, "context", "id")
        return [self.channel.message(chat, id, moment, reply_to=reply, **said, **content_of(message, self.country))]

    def sender(self, message: Tree, who: str) -> dict[str, Any]:
        """Ours is in the customer's chat: the account that we wrote to is their telephone. A customer's own account is
        one that WhatsApp vouches for."""
        phone = international(who, self.country)
        if self.ours:
            phones = (phone,) if phone.e164 else ()
            return {"sender": first(message, "from") or "us", "direction": "out", "sender_name": "", "phones": phones}
        return {"shared_phone": phone, "shared_is_own": True} if phone.e164 else {}

    def happened(self, chat: str, id: str, moment: Any, message: Tree, said: dict[str, Any]) -> Report:
        """A person who changed their number: the new one is their own."""
        kind, reply = text(message, "type"), text(message, "reaction", "message_id")
        emoji = text(message, "reaction", "emoji")
        words = text(message, "system", "body") or (kind.replace("_", " ") if kind != "reaction" else "")
        words = words or (f"reacted {emoji}" if emoji else "took a reaction back")
        if number := first(message.get("system"), "new_wa_id", "wa_id"):
            phone = international(number, self.country)
            said |= {"shared_phone": phone, "shared_is_own": bool(phone.e164)}
        return self.channel.event(chat, id, moment, words, reply_to=reply, **said)


def name_of(value: Value, who: str) -> str:
    known = records(value, "contacts")
    contact = next((one for one in known if who in (text(one, "wa_id"), text(one, "user_id"))), None)
    return text(contact, "profile", "name")


def content_of(message: Value, country: str) -> dict[str, Any]:
    """Returns the fields of MessageReported that say what it holds."""
    kind = text(message, "type")
    part = at(message, kind)
    said: dict[str, Any] = {}
    if file := FILES.get(kind):
        words = verbatim(part, "caption")
        name = "voice" if at(part, "voice") is True else file
        size = max(0, whole_or_none(part, "file_size") or 0)
        ref = first(part, "id", "url")
        said["attachments"] = (Attachment(name, text(part, "filename"), text(part, "mime_type"), size, ref),)
    elif kind == "contacts":
        words = lines(*(contact(one, country) for one in records(message, "contacts")))
    elif kind == "unsupported" or (part is None and at(message, "errors")):
        why = joined(*(text(error, "title") for error in records(message, "errors")), text(part, "type"))
        words = f"[a message that WhatsApp does not show to programs: {why}]"
    else:
        words = WORDS[kind](part) if kind in WORDS else unknown(kind, part)
    said["text"] = lines(words, *notes(message))
    return said


def contact(value: Tree, country: str) -> str:
    numbers = [read_phone(text(one, "phone"), country) for one in records(value, "phones")]
    emails = (text(one, "email") for one in records(value, "emails"))
    return joined(card(text(value, "name", "formatted_name"), *numbers), *emails, text(value, "org", "company"))


def notes(message: Value) -> list[str]:
    """Returns what is said next to the words: which advertisement led here, and that it was forwarded."""
    found = []
    if ad := at(message, "referral"):
        found.append(f"[came from an advertisement: {joined(text(ad, 'headline'), text(ad, 'source_url'))}]")
    if True in (at(message, "context", "forwarded"), at(message, "context", "frequently_forwarded")):
        found.append("[forwarded]")
    if product := text(message, "context", "referred_product", "product_retailer_id"):
        found.append(f"[about the product {product}]")
    return found


def interactive(part: Value) -> str:
    """Returns the button or the row that was chosen, or the answers of a form that was filled in."""
    if flow := at(part, "nfm_reply"):
        try:
            answers = decode(text(flow, "response_json"))
        except Malformed:
            answers = text(flow, "response_json")
        if isinstance(answers, dict):
            answers = {name: value for name, value in answers.items() if name != "flow_token"}
        return f"Form: {plainly(answers)}"
    chosen = at(part, text(part, "type"))
    if not chosen:
        return "[pressed a button that WhatsApp does not show]"
    return pressed(joined(text(chosen, "title"), text(chosen, "description")), text(chosen, "id"))


def pressed(label: str, value: str) -> str:
    return f"Pressed: {label} ({value})" if value and label and value != label else f"Pressed: {label or value}"


def order(part: Value) -> str:
    """Returns the lines of an order with the prices as WhatsApp writes them."""
    items = (
        f"{text(item, 'quantity')} x {text(item, 'product_retailer_id')} "
        f"at {text(item, 'item_price')} {text(item, 'currency')}"
        for item in records(part, "product_items")
    )
    return lines(verbatim(part, "text"), f"Order: {'; '.join(items)}")


WORDS: dict[str, Callable[[Value], str]] = {
    "text": lambda part: verbatim(part, "body"),
    "location": place,
    "interactive": interactive,
    "button": lambda part: pressed(text(part, "text"), text(part, "payload")),
    "order": order,
}
