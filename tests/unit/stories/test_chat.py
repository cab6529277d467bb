"""Story 4: a message lands in one conversation of the sender's card, edits and shared contacts included."""

from itertools import permutations

from crm.events import (
    ContactAbsorbed,
    ContactCreated,
    ContactMerged,
    ConversationOpened,
    DealAssigned,
    DealOpened,
    DeliveryNoted,
    IdentifierAdded,
    MessageEdited,
    MessageReceived,
)
from tests.given import NOON, an, call, form, given, message, phone

OLEH = "+380501112233"
HELLO = message("1", text="/start", sender_name="Олег")


def test_somebody_new_writes_and_becomes_a_lead() -> None:
    given().when(HELLO).then(
        an(ContactCreated, name="Олег", source="chat"),
        an(IdentifierAdded, kind="telegram", value="77"),
        an(ConversationOpened, channel="telegram", chat="77", title="Олег"),
        an(MessageReceived, text="/start", sender_name="Олег", edited_at=None),
        an(DealOpened, title="Telegram: Олег", source="chat"),
        an(DealAssigned),
    )


def test_the_next_message_lands_in_the_same_conversation() -> None:
    story = given(HELLO).when(message("2", message="2", text="Є?"))
    story.then(an(MessageReceived, conversation_id=story.every(ConversationOpened)[0].conversation_id, text="Є?"))


def test_an_edit_changes_the_message_and_an_older_edit_does_not() -> None:
    story = given(HELLO).when(message("2", text="second", edited_at=NOON + 2))
    story.then(an(MessageEdited, text="second", edited_at=NOON + 2))
    story.when(message("3", text="first", edited_at=NOON + 1)).then(
        an(DeliveryNoted, why="a newer version of this message is known")
    )


def test_edits_in_any_order_end_with_the_newest_text() -> None:
    edits = [message(str(n), text=text, edited_at=NOON + n) for n, text in enumerate("bc")]
    versions = [message("original", text="a"), *edits]
    for order in permutations(versions):
        story = given(*order)
        assert len(story.every(MessageReceived)) == 1
        assert [*story.every(MessageReceived), *story.every(MessageEdited)][-1].text == "c"


def test_an_edit_before_its_original() -> None:
    edit = message("2", text="second", edited_at=NOON + 1)
    story = given().when(edit)
    assert [event.edited_at for event in story.every(MessageReceived)] == [NOON + 1]
    story.when(HELLO).then(an(DeliveryNoted, why="a newer version of this message is known"))


def test_an_own_phone_is_learnt() -> None:
    given(HELLO).when(message("2", message="2", shared_phone=phone(OLEH), shared_is_own=True)).then(
        an(MessageReceived), an(IdentifierAdded, kind="phone", value=OLEH)
    )


def test_somebody_elses_phone_is_only_a_message() -> None:
    given(HELLO).when(message("2", message="2", shared_phone=phone(OLEH))).then(an(MessageReceived))


def test_an_own_phone_that_another_card_has_makes_the_two_one() -> None:
    story = given(form("form", phones=[OLEH]), HELLO)
    known, chat = (contact.contact_id for contact in story.contacts())
    story.when(message("2", message="2", shared_phone=phone(OLEH), shared_is_own=True)).then(
        an(MessageReceived, contact_id=chat),
        an(ContactMerged, contact_id=chat, into_id=known, why=f"the sender shared {OLEH} as their own"),
        an(IdentifierAdded, contact_id=known, kind="telegram", value="77", from_id=chat),
        an(ContactAbsorbed, contact_id=known, other_id=chat, name="Олег"),
    )
    assert [contact.identifiers for contact in story.contacts()] == [(f"phone:{OLEH}", "telegram:77")]
    story.when(message("3", chat="other", message="3"))
    assert story.every(ConversationOpened)[-1].contact_id == chat, "written to the card of the account, shown with both"
    story.when(call("ring", "ringing", OLEH))
    assert story.events[0].contact_id == known


def test_a_group_has_a_card_for_each_sender_and_no_lead() -> None:
    story = given(message("1", chat="-5", chat_kind="group", sender="77"))
    story.when(message("2", chat="-5", chat_kind="group", sender="78", message="2")).then(
        an(ContactCreated), an(IdentifierAdded, value="78"), an(ConversationOpened, chat="-5"), an(MessageReceived)
    )
    assert len(story.contacts()) == 2
