"""How far an answer by mail came: as the service that sent it says, or the mail server that gave it up."""

from typing import Any

import pytest
from msgspec.structs import replace

from crm.events import DeliveryNoted, MessageReceived, MessageStatusChanged, ReplyQueued, ReplySent
from crm.facts import MessageStatusReported, ReplyAttempted
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import NOON, RAW, an, mail, meta


def answered(connector: str = "postmark") -> OperatorSession:
    """Returns a session in which a mail was answered, and the answer was accepted."""
    question = mail("a@x", subject="Question", text="Hi")
    session = operator_session(replace(question, meta=replace(question.meta, actor=connector)))
    (first,) = session.every(MessageReceived)
    session.do("conversation_reply", conversation_id=first.conversation_id, text="Good day")
    own = queued(session)
    sent = ReplyAttempted(meta("sent"), RAW, own.message_id, own.conversation_id, "accepted", mail_id(session))
    return session.when(sent)


def queued(session: OperatorSession) -> ReplyQueued:
    (found,) = session.every(ReplyQueued)
    return found


def mail_id(session: OperatorSession) -> str:
    return f"{queued(session).message_id}.reply@shop.example"


def status(session: OperatorSession, status: str, **said: Any) -> MessageStatusReported:
    """What a service says of the answer: it knows neither our conversation nor its thread."""
    id = mail_id(session)
    fields = {"reply": queued(session).message_id} | said
    return MessageStatusReported(meta(f"{status} {said}"), RAW, "mail", id, id, status, **fields)


def bounce(session: OperatorSession, name: str = "b@mx", **said: Any) -> Any:
    fields = {"automatic": "bounce", "references": (mail_id(session),), "customer": "", "text": "Not found"} | said
    return mail(name, at=NOON + 5, **fields)


@pytest.mark.parametrize("word", ["delivered", "read"])
def test_the_service_says_how_far_the_same_message_came(word: str) -> None:
    session = answered()
    session.when(status(session, word)).then(
        an(MessageStatusChanged, message_id=queued(session).message_id, status=word, reason="")
    )
    session.when(status(session, word, reason="once more")).then(an(DeliveryNoted))
    assert len(session.every(ReplySent)) == 1


def test_a_reply_that_the_service_gave_up_has_failed() -> None:
    session = answered()
    session.when(status(session, "failed", reason="550 no such user")).then(
        an(MessageStatusChanged, status="failed", reason="550 no such user")
    )


def test_what_is_no_reply_of_ours_changes_nothing() -> None:
    session = answered()
    session.when(status(session, "failed", reply="33333333-3333-5333-8333-333333333333")).then(
        an(DeliveryNoted, why="failed: no reply of ours is known by this id")
    )


def test_a_mail_server_that_gives_a_reply_up_fails_it() -> None:
    """The report itself stands in the thread, for a person to read."""
    session = answered("smtp")
    gone = bounce(session, returned=mail_id(session), reason="550 5.1.1 No such user")
    own = queued(session)
    session.when(gone).then(
        an(MessageReceived, conversation_id=own.conversation_id),
        an(MessageStatusChanged, message_id=own.message_id, status="failed", reason="550 5.1.1 No such user"),
    )
    session.when(bounce(session, "again@mx", returned=mail_id(session), reason="550")).then(an(MessageReceived))


def test_a_mail_server_that_is_late_fails_nothing() -> None:
    session = answered("smtp")
    session.when(bounce(session)).then(an(MessageReceived))


def test_a_reply_that_was_read_does_not_fail_afterwards() -> None:
    session = answered("smtp")
    session.when(status(session, "read"))
    session.when(bounce(session, returned=mail_id(session), reason="550")).then(an(MessageReceived))
