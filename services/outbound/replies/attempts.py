"""What became of an attempt, as a fact: decided like whatever else comes from outside."""

from collections.abc import Callable

from crm.connector_send import Accepted, Failed, Outcome, Page
from crm.delivery import Connection
from crm.envelope import named_id
from crm.events import ReplyQueued
from crm.facts import ReplyAttempted
from crm.scalars import Id, Micros
from crm.shared import Meta, Raw

NOTHING = Raw("", {}, "", b"")
LONGEST = 64_000  # bytes of an answer that are kept


def attempted(
    reply: ReplyQueued, attempt: int, outcome: Outcome, at: Micros, page: Page | None, connection: Connection | None
) -> ReplyAttempted:
    """Returns the fact of an outcome that is final. It is the same one when it is reported twice."""
    match outcome:
        case Accepted():
            word, message, reason = "accepted", outcome.message, ""
        case Failed():
            word, message, reason = "failed", "", outcome.reason
        case _:
            word, message, reason = "uncertain", "", outcome.reason
    assert reply.connection_id
    id = named_id(reply.message_id, f"attempt/{attempt}/{word}")
    stream = named_id(reply.connection_id, f"sender/{reply.chat}")  # as what the channel tells of the chat
    source, actor = Id(reply.connection_id), reply.connector
    meta = Meta(id, reply.meta.workspace, stream, at, at, source, id, actor=actor, trace=reply.meta.trace)
    hidden = connection.without_secrets if connection else str
    who = reply.message_id, reply.conversation_id
    return ReplyAttempted(meta, raw_of(page, hidden), *who, word, message, hidden(reason), attempt)


def raw_of(page: Page | None, hidden: Callable[[str], str]) -> Raw:
    if page is None:
        return NOTHING
    kept = {name: hidden(value) for name, value in page.headers.items() if name != "set-cookie"}
    return Raw(page.headers.get("content-type", ""), {":status": str(page.status), **kept}, "", page.body[:LONGEST])
