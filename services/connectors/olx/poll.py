"""OLX: threads of an account's adverts and their messages (https://developer.olx.ua/api/doc, Threads, version 2.0).

The list says of each thread how many messages there are: only those with more than before are asked for.
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import Ask, Keep, Page, Poll, PollFailed, Steps, Turn, items_of, read_cursor, written_cursor
from crm.connector_settings import Since
from crm.errors import Malformed
from crm.poll_paging import next_offset, oauth2
from crm.shared import Attachment
from crm.zones import zone
from services.connectors.chat import Channel
from services.connectors.formats.exact_json import Tree, Value, decode_object
from services.connectors.formats.times import from_datetime
from services.connectors.formats.values import at, first, records, required, text

KYIV = zone("Europe/Kyiv")
SIZE = 50  # threads, and messages, of one answer
VERSION = {"version": "2.0"}
ASK = Ask("/partner/threads", {"offset": "0", "limit": str(SIZE)}, headers=VERSION)
NEXT = next_offset("offset", ("data",), SIZE)


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an account."""

    host: Annotated[
        str,
        Meta(
            description="The site of the account's country.",
            examples=["www.olx.ua"],
            extra={"pattern": r"www\.olx\.[a-z.]+"},
        ),
    ] = "www.olx.ua"
    since: Since = ""


def base(connection: Connection) -> str:
    return f"https://{connection.settings_as(Settings).host}/api"


def pull(turn: Turn) -> Steps:
    counts = read_cursor(turn.cursor, dict[str, str])
    threads: Ask | None = ASK
    while threads:
        page = yield threads
        for thread in items_of(page, ("data",)):
            found = decode_object(thread)
            id, count = required(found, "id"), text(found, "total_count")
            if count and counts.get(id) == count:
                continue
            yield from messages(thread, id, counts, count)
        threads = next_page(threads, page)


def messages(thread: bytes, id: str, counts: dict[str, str], count: str) -> Steps:
    """Each page of a thread's messages is kept with the thread that it is of: alone, it does not say who writes."""
    ask: Ask | None = Ask(f"/partner/threads/{id}/messages", ASK.parameters, headers=VERSION)
    while ask:
        page = yield ask
        following = next_page(ask, page)
        if following is None and count:
            counts[id] = count
        body = b'{"thread":%b,"data":[%b]}' % (thread, b",".join(items_of(page, ("data",))))
        yield Keep(replace(page, body=body), written_cursor(counts))
        ask = following


def next_page(ask: Ask, page: Page) -> Ask | None:
    following = NEXT(ask, page)
    if following == ask:
        raise PollFailed("OLX gives one page again as the next. What is on it was kept.")
    return following


def parse(delivery: Delivery, _connection: Connection) -> Iterator[Report]:
    """One conversation a buyer: each of their threads says which advert it is about."""
    body = decode_object(delivery.body)
    thread, messages, channel = at(body, "thread"), records(body, "data"), Channel("olx", delivery)
    if not messages:
        return
    chat = id_of(thread, "interlocutor") or required(thread, "id")
    name, advert = text(thread, "interlocutor", "name"), first(at(thread, "advert"), "title", "id")
    yield from channel.each(messages, lambda message: [message_of(channel, chat, name, message)])
    if about := advert or text(thread, "advert_id"):  # nothing happens in a chat before somebody writes
        began = text(thread, "created_at")
        when = from_datetime(began, KYIV) if began else None
        yield channel.event(chat, f"thread/{required(thread, 'id')}", when, f"Advert: {about}", chat_title=name)


def id_of(thread: Value, name: str) -> str:
    """An id that stands alone or in an object."""
    return text(thread, f"{name}_id") or text(thread, name, "id")


def message_of(channel: Channel, chat: str, name: str, message: Tree) -> Report:
    kind, when = required(message, "type"), from_datetime(required(message, "created_at"), KYIV)
    if kind not in ("received", "sent"):
        raise Malformed(f"A message is received or sent, not {kind[:40]!r}.")
    incoming = kind == "received"
    return channel.message(
        chat,
        required(message, "id"),
        when,
        sender=chat if incoming else "account",
        sender_name=name if incoming else "",
        direction="in" if incoming else "out",
        text="\n".join(filter(None, (text(message, "text"), text(message, "phone")))),
        attachments=tuple(
            Attachment("file", text(file, "name"), ref=text(file, "url")) for file in records(message, "attachments")
        ),
        chat_title=name,
    )


POLL = Poll(
    base,
    lambda _turn: ASK,
    oauth2("/open/oauth/token"),
    parse,
    cursor=None,
    every=120,
    per_minute=60,
    pull=pull,
)
