"""What each channel tells of a message of ours that was sent from here: it is the same message, and one only."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from crm.envelope import Fact
from crm.events import ConversationReached, MessageReceived, MessageStatusChanged, ReplyQueued, ReplySent
from crm.facts import MessageReported, MessageStatusReported, ReplyAttempted
from services.connectors import CONNECTORS
from tests.support.connector_samples import connector_samples
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import CONNECTION, NOON, RAW, SHOP, mail, message, meta

TELLS = ("chatwoot", "instagram", "messenger", "viber", "whatsapp")  # how far a message came
TELLS_OF_MAILS = ("brevo", "mailgun", "mailjet", "postmark", "resend", "sendgrid")
ECHOES = ("chatwoot", "instagram", "messenger", "telegram", "whatsapp")  # tells what was written in its own app


def reports() -> Iterator[tuple[str, Fact]]:
    """Yields what the samples of connectors that send say of messages of ours, each with the sample's name."""
    for sample in connector_samples():
        if CONNECTORS[sample.vendor].send is None:
            continue
        for n, fact in enumerate(sample.received(sample.sent())):
            of_ours = (
                isinstance(fact, MessageReported)
                and fact.direction == "out"
                and fact.kind not in ("deleted", "service")
            )
            if of_ours or isinstance(fact, MessageStatusReported):
                here = replace(fact.meta, workspace=SHOP, source=CONNECTION, actor=sample.vendor)
                yield f"{sample.id}#{n}", replace(fact, meta=here)


REPORTS = dict(reports())
STATUSES = {id: fact for id, fact in REPORTS.items() if isinstance(fact, MessageStatusReported)}
SAID = {id: fact for id, fact in REPORTS.items() if isinstance(fact, MessageReported) and not fact.edited_at}


def vendors(ids: Any) -> set[str]:
    return {id.partition("/")[0] for id in ids}


def answered(fact: Any) -> OperatorSession:
    """Returns a session in which this chat, or a mail, was answered, and the channel took the answer."""
    if fact.channel == "mail":
        question: Any = mail("a@x", subject="Question", text="Hi")
    else:
        where = {"channel": fact.channel, "chat": fact.chat, "account": fact.account}
        question = message("question", text="Hi", sender_name="Olena", sent_at=NOON, reply_address="5", **where)
    session = operator_session(replace(question, meta=replace(question.meta, actor=fact.meta.actor)))
    (first,) = session.every(MessageReceived)
    session.do("conversation_reply", conversation_id=first.conversation_id, text="Good day")
    (own,) = session.every(ReplyQueued)
    sent = ReplyAttempted(meta("sent"), RAW, own.message_id, own.conversation_id, "accepted", fact.message)
    return session.when(sent)


@pytest.mark.parametrize("id", STATUSES)
def test_its_status_is_that_of_the_reply(id: str) -> None:
    fact: Any = STATUSES[id]
    session = answered(fact)
    (own,) = session.every(ReplyQueued)
    session.when(replace(fact, reply=own.message_id) if fact.reply else fact)
    if fact.message:
        (changed,) = session.every(MessageStatusChanged)
        assert (changed.message_id, changed.status, changed.reason) == (own.message_id, fact.status, fact.reason)
    else:
        (reached,) = session.every(ConversationReached)
        assert (reached.conversation_id, reached.status) == (own.conversation_id, fact.status)


@pytest.mark.parametrize("id", SAID)
def test_its_echo_is_no_second_message(id: str) -> None:
    """Its id came with the answer to the request, so it is known whatever the echo says."""
    session = answered(SAID[id])
    session.when(replace(SAID[id], reply=""))
    assert len(session.every(MessageReceived)) == 1


@pytest.mark.parametrize("id", SAID)
def test_what_was_written_in_the_channels_own_app_stands_in_the_conversation_and_is_not_sent(id: str) -> None:
    session = answered(replace(SAID[id], message="another"))
    session.when(replace(SAID[id], reply=""))
    _, written = session.every(MessageReceived)
    (own,) = session.every(ReplyQueued)
    assert (written.direction, written.conversation_id) == ("out", own.conversation_id)
    assert len(session.every(ReplySent)) == 1


def test_every_channel_that_tells_is_among_them() -> None:
    assert vendors(STATUSES) == {*TELLS, *TELLS_OF_MAILS}
    assert vendors(SAID) == {*ECHOES}
