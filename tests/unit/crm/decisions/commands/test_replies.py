"""Answers: what a channel takes is queued whole, what it does not take is refused, and a person settles a doubt."""

from typing import Any

import pytest
from msgspec.structs import replace

from crm.commands import Code
from crm.events import (
    ConversationOpened,
    DealOpened,
    DeliveryNoted,
    MessageDuplicated,
    MessageReceived,
    MessageStatusChanged,
    ReplyQueued,
    ReplyResolved,
    ReplySent,
    ReplyUncertain,
)
from crm.facts import Fact, MessageReported, MessageStatusReported, ReplyAttempted
from crm.scalars import Id, Micros
from crm.shared import Template
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import CONNECTION, MINUTE, NOON, RAW, an, mail, message, meta

NOBODY = Id("33333333-3333-5333-8333-333333333333")
HOUR = 60 * MINUTE


def by(connector: str, fact: Any) -> Any:
    return replace(fact, meta=replace(fact.meta, actor=connector))


def written(connector: str = "telegram", **said: Any) -> MessageReported:
    fields = {"channel": connector, "text": "Hi", "sender_name": "Olena", "sent_at": NOON}
    fact: MessageReported = by(connector, message(f"{connector} {said}", **(fields | said)))
    return fact


def chat(*facts: Fact) -> OperatorSession:
    return operator_session(*(facts or [written()]))


def answer(session: OperatorSession, **said: Any) -> OperatorSession:
    (opened,) = session.every(ConversationOpened)
    return session.do("conversation_reply", **({"conversation_id": opened.conversation_id, "text": "Good day"} | said))


def refused(session: OperatorSession, field: str, code: Code = Code.INVALID, **said: Any) -> str:
    (opened,) = session.every(ConversationOpened)
    fields = {"conversation_id": opened.conversation_id, "text": "Good day"} | said
    return session.refuses("conversation_reply", field, code, **fields)


def attempted(session: OperatorSession, outcome: str, attempt: int = 1, **said: Any) -> ReplyAttempted:
    (queued,) = session.every(ReplyQueued)
    key = meta(f"reply {outcome} {attempt}")
    return ReplyAttempted(key, RAW, queued.message_id, queued.conversation_id, outcome, attempt=attempt, **said)


def test_what_is_queued_says_all_that_its_sender_must_know() -> None:
    session = chat(written(account="b-1", reply_address="t-9", message="41"))
    (hi,) = session.every(MessageReceived)
    answer(session, reply_to=hi.message_id).then(
        an(
            ReplyQueued,
            connection_id=CONNECTION,
            connector="telegram",
            chat="77",
            account="b-1",
            reply_address="t-9",
            answers="41",
            asked_at=NOON,
            thread=(),
        )
    )


def test_an_answer_names_who_has_the_newest_deal() -> None:
    """In a reply and in what our side wrote in the channel; the contact's own words name nobody."""
    session = chat(written(message="1"))
    (deal,) = session.every(DealOpened)
    session.do("deal_assign", deal_id=deal.deal_id, owner="taras")
    answer(session, author="anna").then(an(ReplyQueued, author="anna", owner="taras"))
    session.when(written(message="2", text="Yes", direction="out"), written(message="3", text="Thanks"))
    said = [(one.direction, one.owner) for one in session.every(MessageReceived)]
    assert said == [("in", ""), ("out", "taras"), ("in", "")]


def test_the_connection_by_which_the_customer_last_wrote_is_answered() -> None:
    later = written(message="2", account="b-2", sent_at=Micros(NOON + 1))
    answer(chat(written(account="b-2"), later)).then(an(ReplyQueued, account="b-2", asked_at=NOON + 1))


def test_a_mail_is_answered_in_its_thread() -> None:
    first = by("postmark", mail("a@x", subject="Question", text="Hi"))
    second = by("postmark", mail("b@x", at=NOON + 1, subject="Re: Question", references=("a@x",), text="Well?"))
    answer(chat(first, second)).then(
        an(
            ReplyQueued,
            connector="postmark",
            reply_address="olena@example.net",
            subject="Re: Question",
            thread=("a@x", "b@x"),
        )
    )


def test_an_imported_answer_is_kept_and_not_sent() -> None:
    answer(chat(), occurred_at=Micros(NOON - 1)).then(an(ReplyQueued, connection_id=None))


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        (
            {"text": "x" * 4_097},
            "text",
            "telegram takes at most 4096 characters, and this text has 4097. Nothing was sent.",
        ),
        (
            {"text": "x" * 1_025, "attachments": [{"url": "https://example.com/a.png"}]},
            "text",
            "telegram takes at most 1024 characters next to a file, and this text has 1025. Nothing was sent.",
        ),
        (
            {"attachments": [{"url": "https://example.com/a.png"}] * 2},
            "attachments",
            "2 files are given, and telegram takes at most 1 in one message: send several. Nothing was sent.",
        ),
        (
            {"attachments": [{"url": "https://example.com/a.png", "size": 20_000_001}]},
            "attachments.0.size",
            "telegram takes files of at most 20 MB, and this one has 20.0 MB. Nothing was sent.",
        ),
        (
            {"attachments": [{"url": "http://10.0.0.1/a.png"}]},
            "attachments.0.url",
            "It is no URL that begins with https://. Nothing was sent.",
        ),
        (
            {"template": {"name": "order", "language": "uk"}},
            "template",
            "telegram has no templates: send it as text. Nothing was sent.",
        ),
    ],
)
def test_what_the_channel_does_not_take_is_refused(said: dict[str, Any], field: str, sentence: str) -> None:
    assert refused(chat(), field, **said) == sentence


def test_what_has_no_sender_cannot_be_answered() -> None:
    why = refused(chat(written("jivo")), "conversationId")
    assert why.startswith("What comes by jivo cannot be answered from here. Nothing was sent.")


def test_an_answer_that_was_accepted_stays_one_message() -> None:
    """Its status, its edit and its echo come by the channel's id of it."""
    session = answer(chat())
    (queued,) = session.every(ReplyQueued)
    own = queued.message_id
    session.when(attempted(session, "accepted", message="42")).then(an(ReplySent, message_id=own, message="42"))
    session.when(status("delivered", "42")).then(an(MessageStatusChanged, message_id=own, status="delivered"))
    session.when(written(message="42", direction="out", text="Good day")).then(an(DeliveryNoted))
    session.when(attempted(session, "uncertain")).then(an(DeliveryNoted))
    assert len(session.every(MessageReceived)) == 1


def test_what_the_channel_reported_before_it_answered_is_the_same_message() -> None:
    session = answer(chat())
    session.when(written(message="42", direction="out", text="Good day"), status("read", "42"))
    (queued,), (_, echo) = session.every(ReplyQueued), session.every(MessageReceived)
    session.when(attempted(session, "accepted", message="42")).then(
        an(ReplySent, message="42", echo_id=echo.message_id),
        an(MessageDuplicated, message_id=echo.message_id, original_id=queued.message_id),
        an(MessageStatusChanged, message_id=queued.message_id, status="read"),
    )


@pytest.mark.parametrize("reported", ["echo", "status"])
def test_a_channel_that_hands_our_id_back_settles_a_doubt(reported: str) -> None:
    session = answer(chat())
    (queued,) = session.every(ReplyQueued)
    session.when(attempted(session, "uncertain", reason="it broke off")).then(an(ReplyUncertain, reason="it broke off"))
    own = queued.message_id
    fact = written(message="42", direction="out", reply=own) if reported == "echo" else status("delivered", "42", own)
    session.when(fact)
    assert session.events[0].message_id == own
    assert isinstance(session.events[0], ReplySent)
    assert len(session.every(MessageReceived)) == 1


def test_a_doubt_is_settled_by_a_person() -> None:
    session = answer(chat())
    (queued,) = session.every(ReplyQueued)
    id = queued.message_id
    why = session.refuses("reply_resolve", "messageId", Code.UNCHANGED, message_id=id, outcome="sent")
    assert why == "This answer waits to be sent. Nothing was changed."
    session.when(attempted(session, "uncertain"))
    session.do("reply_resolve", message_id=id, outcome="again", author="anna")
    session.then(an(ReplyResolved, outcome="again", attempt=2, author="anna"))
    session.when(attempted(session, "failed")).then(an(DeliveryNoted))  # of the attempt before
    session.when(attempted(session, "failed", 2, reason="no such chat")).then(
        an(MessageStatusChanged, message_id=id, status="failed", reason="no such chat")
    )
    session.do("reply_resolve", message_id=id, outcome="again").then(an(ReplyResolved, attempt=3))
    session.when(attempted(session, "uncertain", 3))
    session.do("reply_resolve", message_id=id, outcome="sent").then(an(ReplyResolved, outcome="sent", attempt=3))
    session.refuses("reply_resolve", "messageId", Code.UNCHANGED, message_id=id, outcome="again")


def test_what_is_no_answer_of_ours_is_not_resolved() -> None:
    session = chat()
    (hi,) = session.every(MessageReceived)
    session.refuses("reply_resolve", "messageId", Code.NOT_FOUND, message_id=hi.message_id, outcome="sent")


def status(status: str, message: str, reply: str = "") -> MessageStatusReported:
    return MessageStatusReported(
        meta(f"status {status} {message} {reply}"), RAW, "telegram", "77", message, status, reply=reply
    )


def test_a_mail_of_ours_that_comes_back_is_known_by_its_message_id() -> None:
    session = answer(chat(by("postmark", mail("a@x", subject="Question", text="Hi"))))
    (queued,) = session.every(ReplyQueued)
    own = f"{queued.message_id}.reply@shop.example"
    echo = mail(own, at=NOON + 1, direction="out", references=("a@x",), text="Good day")
    session.when(echo).then(an(ReplySent, message=own), an(DeliveryNoted))
    session.when(mail("c@x", at=NOON + 2, references=(own,), text="Thanks")).then(an(MessageReceived))


def test_of_a_template_the_card_shows_what_is_sent() -> None:
    template = {"name": "order", "language": "uk", "values": {"1": "Olena", "2": "17"}}
    text = "Hello {{1}}, your order {{2}} is ready"
    late = written("whatsapp", sent_at=Micros(NOON - 25 * HOUR))
    session = chat(late)
    why = refused(session, "conversationId")
    assert why == (
        "whatsapp lets a customer be answered for 24 hours, and this one wrote 25 hours ago. Until they write again, "
        "send a template that was approved. Nothing was sent."
    )
    missing = {**template, "values": {"1": "Olena"}}
    why = refused(session, "template.values", Code.REQUIRED, text=text, template=missing)
    assert why == "The template's text has places without a value: 2. Nothing was sent."
    answer(session, text=text, template=template).then(
        an(
            ReplyQueued,
            text="Hello Olena, your order 17 is ready",
            template=Template("order", "uk", {"1": "Olena", "2": "17"}),
        )
    )


def test_an_answer_is_somewhere_and_says_something() -> None:
    session = chat()
    session.refuses("conversation_reply", "conversationId", Code.NOT_FOUND, conversation_id=NOBODY, text="x")
    refused(session, "replyTo", Code.NOT_FOUND, reply_to=NOBODY)
    refused(session, "text", Code.REQUIRED, text=" \n")
