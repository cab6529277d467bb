"""What each of Jivo's events says of a visitor."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from crm.connector import Report, digest
from crm.errors import Malformed
from crm.facts import ContactReported, FormSubmitted
from crm.phones import read_phone
from services.connectors.calls import call_report
from services.connectors.chat import Channel, joined
from services.connectors.formats.exact_json import Tree, canonical, encode
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import text_at, texts_at
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, first, records, required, text, verbatim, whole_or_none

STATUSES = meanings(completed="end error", answered="client_connected")
DIRECTIONS = meanings(**{"in": "incoming callback", "out": "outgoing"})  # who asks to be called back calls us


def visitor_of(body: Tree) -> str:
    """Returns Jivo's number of the visitor: the same in all their chats."""
    return text_at(body, "visitor.number | client_id") or f"chat {required(body, 'chat_id')}"


def details(body: Tree, country: str) -> dict[str, Any]:
    """Returns what the visitor wrote of themselves, or an agent for them."""
    phone, email = text(body, "visitor", "phone"), text(body, "visitor", "email")
    return {"phones": (read_phone(phone, country),) if phone else (), "emails": (email,) if email else ()}


def chat_accepted(channel: Channel, body: Tree, country: str) -> Iterator[Report]:
    """The first that is heard of a chat: its messages come when it is over, and a customer must not wait so long."""
    name, chat = text(body, "visitor", "name"), required(body, "chat_id")
    page = joined(text(body, "page", "title"), text(body, "page", "url"))
    words = f"[began a chat on {page}]" if page else "[began a chat]"
    known = {"sender_name": name, "chat_title": name, **details(body, country)}
    yield channel.message(visitor_of(body), f"{chat}/accepted", None, text=words, **known)


def chat_finished(channel: Channel, body: Tree, country: str) -> Iterator[Report]:
    """All messages of the chat. They have no ids: their place in the chat names them."""
    name, chat, visitor = text(body, "visitor", "name"), required(body, "chat_id"), visitor_of(body)
    known = {"chat_title": name, **details(body, country)}
    for place, message in enumerate(records(body, "chat", "messages")):
        who = {"sender_name": name}
        if text(message, "type") != "visitor":
            id = text(message, "agent_id")
            who = {"sender_name": agent(body, id), "sender": f"agent/{id}", "direction": "out"}
        moment = moment_or_none(whole_or_none(message, "timestamp"))
        yield channel.message(visitor, f"{chat}/{place}", moment, text=verbatim(message, "message"), **known, **who)


def agent(body: Tree, id: str) -> str:
    return next((text(one, "name") for one in records(body, "agents") if text(one, "id") == id), "")


def offline_message(channel: Channel, body: Tree, country: str) -> Iterator[Report]:
    """Nobody was there to answer: a form that was sent, with telephone or e-mail."""
    id = text(body, "offline_message_id") or required(body, "chat_id")
    fields = {"message": verbatim(body, "message"), "topic": text(body, "topic", "title")}
    fact = partial(
        FormSubmitted,
        form="Jivo offline message",
        utm=utm_of(body),
        fields={name: encode(value) for name, value in fields.items() if value},
        **texts_at(body, page="page.url", name="visitor.name"),
        **details(body, country),
    )
    yield Report(f"offline/{id}", visitor_of(body), channel.delivery.received_at, fact)


def changed(channel: Channel, body: Tree, country: str) -> Iterator[Report]:
    """What an agent wrote into the visitor's card, where it says how to reach them."""
    known = details(body, country)
    if not any(known.values()):
        return
    key = visitor_of(body)
    fact = partial(ContactReported, key=key, system="jivo", name=text(body, "visitor", "name") or None, **known)
    content = digest(canonical(at(body, "visitor")))[:16]
    yield Report(f"visitor/{key}/{content}", key, channel.delivery.received_at, fact)


def call(channel: Channel, body: Tree, country: str) -> Iterator[Report]:
    """A call of the widget: also one that was ordered. Jivo names it by its chat."""
    id, status = required(body, "chat_id"), text(body, "call", "status")
    if not at(body, "call"):
        raise Malformed("It says nothing of a call: 'call' is missing.")
    content = digest(canonical(at(body, "call")))[:16]
    yield call_report(
        *(id, f"call/{id}/{status}/{content}", channel.delivery.received_at),
        phase=STATUSES.get(status, "ringing"),
        direction=DIRECTIONS.get(text(body, "call", "type"), ""),
        phone=read_phone(text_at(body, "call.phone | visitor.phone"), country),
        disposition="failed" if status == "error" else "",
        utm=utm_of(body),
        **texts_at(body, employee="agent.email", recording="call.record_url", note="call.reason"),
    )


def utm_of(body: Tree) -> dict[str, str]:
    labels = at(body, "session", "utm_json")
    if isinstance(labels, dict):
        return {name: value for name in labels if (value := text(labels, name))}
    pairs = (pair.partition("=") for pair in first(at(body, "session"), "utm").split("|"))
    return {name: value for name, _, value in pairs if name and value}
