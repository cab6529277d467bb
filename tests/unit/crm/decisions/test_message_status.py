"""How far our messages came: reported in any order, also before the message, and it never goes back."""

from itertools import permutations
from typing import Any

import pytest

from crm.events import ConversationReached, DeliveryNoted, FactQuarantined, MessageReceived, MessageStatusChanged
from crm.facts import MessageStatusReported
from crm.state.changes.talk import further
from tests.support.scenarios import NOON, RAW, an, given, message, meta

HELLO = message("1", message="1", text="Є?")
OURS = message("ours", message="2", text="Так", direction="out", sender="us")


def status(key: str, status: str, **said: Any) -> MessageStatusReported:
    fields: dict[str, Any] = {"channel": "telegram", "chat": "77", "message": "2", "status": status} | said
    return MessageStatusReported(meta(f"status {key}"), RAW, **fields)


def test_a_message_comes_further() -> None:
    story = given(HELLO, OURS).when(status("1", "delivered"))
    ours = story.every(MessageReceived)[-1]
    story.then(an(MessageStatusChanged, status="delivered", message_id=ours.message_id, contact_id=ours.contact_id))
    story.when(status("2", "read")).then(an(MessageStatusChanged, status="read"))


def test_it_never_goes_back() -> None:
    given(HELLO, OURS, status("1", "read")).when(status("2", "sent")).then(
        an(DeliveryNoted, kind="message status", why="sent: message 2 is read already")
    )


def test_what_arrived_did_not_fail() -> None:
    story = given(HELLO, OURS).when(status("1", "failed", reason="blocked"))
    story.then(an(MessageStatusChanged, status="failed", reason="blocked"))
    story.when(status("2", "delivered")).then(an(MessageStatusChanged, status="delivered", reason=""))
    story.when(status("3", "failed")).then(an(DeliveryNoted))


@pytest.mark.parametrize("first", [True, False])
def test_in_any_order_the_furthest_counts(first: bool) -> None:
    reported = [status(word, word) for word in ("sent", "delivered", "read")]
    for order in permutations(reported):
        facts = [HELLO, *order, OURS] if first else [HELLO, OURS, *order]
        assert given(*facts).every(MessageStatusChanged)[-1].status == "read"


def test_what_comes_before_the_message_is_reported_again_with_it() -> None:
    """Also when nobody talks in the chat yet: the event names no card then."""
    story = given().when(status("1", "read"))
    story.then(an(MessageStatusChanged, status="read", contact_id=None))
    story.when(OURS)
    again, received = story.every(MessageStatusChanged)[-1], story.every(MessageReceived)[-1]
    assert (again.status, again.message_id, again.contact_id) == ("read", received.message_id, received.contact_id)


def test_a_customers_message_has_no_status() -> None:
    story = given(status("1", "read", message="1")).when(HELLO)
    assert len(story.every(MessageStatusChanged)) == 1


def test_all_up_to_a_moment() -> None:
    story = given(HELLO).when(status("1", "read", message="", up_to=NOON))
    story.then(an(ConversationReached, status="read", up_to=NOON))
    given().when(status("1", "read", message="", up_to=NOON)).then(
        an(DeliveryNoted, why="read: nobody here talks in this chat yet")
    )


@pytest.mark.parametrize("said", [{"message": ""}, {"up_to": NOON}])
def test_either_a_message_or_a_moment(said: dict[str, Any]) -> None:
    given(HELLO).when(status("1", "read", **said)).then(
        an(FactQuarantined, reason="Give either 'message' or 'up_to'. Nothing was changed; it is kept here.")
    )


def test_a_word_that_is_no_status_counts_least() -> None:
    assert not further("vanished", "sent")
    assert further("sent", "vanished")
