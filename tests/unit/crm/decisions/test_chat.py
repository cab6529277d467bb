"""Story 4: a message lands in one conversation of the sender's card, edits and shared contacts included."""

from itertools import permutations

from crm.events import (
    ChatMoved,
    ContactAbsorbed,
    ContactCreated,
    ContactMerged,
    ConversationNoted,
    ConversationOpened,
    DealAssigned,
    DealOpened,
    DeliveryNoted,
    DuplicateSuspected,
    IdentifierAdded,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
)
from crm.shared import Attachment
from tests.support.scenarios import NOON, KnownBy, an, call, form, given, message, phone

OLEH = "+380501112233"
HELLO = message("1", text="/start", sender_name="Олег")


def test_somebody_new_writes_and_becomes_a_lead() -> None:
    given().when(HELLO).then(
        an(ContactCreated, name="Олег", source="chat", identifiers=KnownBy(telegram="77")),
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


def test_what_a_person_edits_in_a_talk_with_nobody_stops_nothing() -> None:
    """A message that a channel had sent was reported again as a customer's, with their telephone: there was no card to
    learn it, and the role stopped."""
    own = {"shared_phone": phone(OLEH), "shared_is_own": True}
    story = given(message("1", person=False)).when(message("2", text="b", edited_at=NOON + 1, **own))
    story.then(an(MessageEdited, text="b"))


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
        an(ContactCreated, identifiers=KnownBy(telegram="78")), an(ConversationOpened, chat="-5"), an(MessageReceived)
    )
    assert len(story.contacts()) == 2


def test_the_owners_answer_makes_no_person_and_stands_in_the_customers_conversation() -> None:
    """It made a card and a deal of the owner's own."""
    bc = {"account": "bc", "chat_title": "Соломія"}
    story = given(message("1", sender_name="Соломія", **bc))
    story.when(message("2", message="2", sender="9", sender_name="Салон", direction="out", text="450 грн", **bc)).then(
        an(MessageReceived, direction="out", sender_name="Салон", contact_id=story.contacts()[0].contact_id)
    )
    assert [contact.name for contact in story.contacts()] == ["Соломія"]


def test_whom_we_write_to_is_no_lead_until_they_answer() -> None:
    ours = message("1", sender="9", sender_name="Салон", direction="out", chat_title="Соломія", account="bc")
    story = given().when(ours)
    story.then(
        an(ContactCreated, name="Соломія", identifiers=KnownBy(telegram="77")),
        an(ConversationOpened, title="Соломія", chat="77"),
        an(MessageReceived, direction="out"),
    )
    story.when(message("2", message="2", sender_name="Соломія", account="bc")).then(
        an(MessageReceived, direction="in"), an(DealOpened, title="Telegram: Соломія"), an(DealAssigned)
    )


def test_the_owners_own_number_is_not_the_customers() -> None:
    said = {"message": "2", "sender": "9", "direction": "out", "shared_phone": phone(OLEH), "shared_is_own": True}
    given(HELLO).when(message("2", **said)).then(an(MessageReceived, direction="out"))


def test_who_is_known_from_a_group_is_a_lead_when_they_write_to_us() -> None:
    story = given(message("1", chat="-5", chat_kind="group")).when(message("2", message="2"))
    story.then(an(ConversationOpened), an(MessageReceived), an(DealOpened), an(DealAssigned))


def test_who_is_no_person_gets_a_conversation_and_no_card() -> None:
    """All anonymous admins have one account, so the groups of the world met on one card."""
    said = {"chat_kind": "group", "person": False, "sender_name": "Group"}
    story = given(message("1", chat="-5", sender="-5", chat_title="Сад", **said))
    story.when(message("2", chat="-6", sender="-6", chat_title="Город", **said)).then(
        an(ConversationOpened, title="Город"), an(MessageReceived, sender_name="Group")
    )
    first, second = story.every(ConversationOpened)
    assert (story.contacts(), first.contact_id != second.contact_id) == ([], True)
    story.when(message("3", chat="-6", sender="-6", message="3", **said)).then(
        an(MessageReceived, contact_id=second.contact_id)
    )


def test_what_happens_in_a_chat_is_noted_where_somebody_talks_and_makes_nobody() -> None:
    blocked = {"message": "m", "kind": "service", "text": "[blocked the bot]"}
    given().when(message("1", **blocked)).then(
        an(DeliveryNoted, why="nobody here talks in this chat yet; kept raw: [blocked the bot]")
    )
    given(HELLO).when(message("2", **blocked)).then(an(ConversationNoted, text="[blocked the bot]"))


def test_a_chat_that_a_bot_began_has_no_card_that_a_person_could_teach() -> None:
    """Bug: an edit, and whatever happened in it, stopped decide, as the card of nobody was not in the state."""
    story = given(message("1", person=False)).when(message("2", edited_at=NOON + 1, text="new"))
    story.then(an(MessageEdited, text="new"))
    story.when(message("3", message="3", kind="service", text="[pinned]")).then(an(ConversationNoted))


def test_a_message_that_was_taken_back_keeps_its_words() -> None:
    story = given(HELLO).when(message("2", kind="deleted"))
    story.then(an(MessageDeleted, message_id=story.every(MessageReceived)[0].message_id))
    story.when(message("3", kind="deleted", message="8")).then(
        an(DeliveryNoted, why="message 8 was taken back, and it is not known here")
    )


def test_a_group_that_moved_keeps_its_talk() -> None:
    """Under the supergroup's id everybody had a second conversation."""
    group = {"chat_kind": "group", "chat_title": "Сад"}
    story = given(message("1", chat="-5", sender_name="Олег", **group))
    report = {"chat": "-105", "former_chat": "-5", "kind": "service", "sender": "1", "message": "m"}
    story.when(message("2", **report, **group)).then(an(ChatMoved, chat="-105", former_chat="-5"), an(DeliveryNoted))
    story.when(message("3", **report, **group)).then(an(DeliveryNoted))
    story.when(message("4", chat="-105", message="1", sent_at=NOON + 9, text="Знову", **group)).then(
        an(MessageReceived, conversation_id=story.every(ConversationOpened)[0].conversation_id, text="Знову")
    )


def test_another_bot_counts_from_one_too() -> None:
    """Its first message was taken for the first bot's, which was known."""
    story = given(message("1", text="Є диван?", sent_at=NOON))
    later, same_second = message("2", text="Є стіл?", sent_at=NOON + 5), message("3", text="Є ліжко?", sent_at=NOON)
    story.when(later).then(an(MessageReceived, text="Є стіл?"))
    story.when(same_second).then(an(MessageReceived, text="Є ліжко?"))
    assert len({event.message_id for event in story.every(MessageReceived)}) == 3
    edit = message("4", text="Є столик?", sent_at=NOON + 5, edited_at=NOON + 6)
    story.when(edit).then(an(MessageEdited, message_id=story.every(MessageReceived)[1].message_id))
    again = message("5", text="Є стіл?", sent_at=NOON + 5)
    story.when(again).then(an(DeliveryNoted, why="a newer version of this message is known"))


def test_two_edits_in_one_second_end_with_the_later_whatever_comes_first() -> None:
    edits = [message(str(n), text=text, edited_at=NOON + 1, revision=n, sent_at=NOON) for n, text in enumerate("bc", 8)]
    for order in permutations([message("original", text="a", sent_at=NOON), *edits]):
        story = given(*order)
        assert len(story.every(MessageReceived)) == 1
        assert [*story.every(MessageReceived), *story.every(MessageEdited)][-1].text == "c"


def test_an_edit_may_bring_another_file() -> None:
    new = Attachment("photo", ref="new")
    edit = message("2", text="Ось", attachments=(new,), edited_at=NOON + 1)
    given(message("1", attachments=(Attachment("photo", ref="old"),))).when(edit).then(
        an(MessageEdited, text="Ось", attachments=(new,))
    )


def test_whom_the_channel_vouches_for_is_the_person_who_has_the_number() -> None:
    """The first message of a known customer made a second card and a second deal, and then the cards were merged."""
    story = given(form("form", phones=[OLEH]))
    (known,) = story.contacts()
    own = {"channel": "whatsapp", "chat": "380501112233", "sender": "380501112233"}
    story.when(message("1", shared_phone=phone(OLEH), shared_is_own=True, **own)).then(
        an(IdentifierAdded, contact_id=known.contact_id, kind="whatsapp", value="380501112233"),
        an(ConversationOpened, contact_id=known.contact_id),
        an(MessageReceived, contact_id=known.contact_id),
    )


def test_what_the_channel_keeps_of_somebody_new_finds_their_card() -> None:
    story = given(form("form", phones=[OLEH]))
    (known,) = story.contacts()
    story.when(message("1", phones=(phone(OLEH),), emails=("oleh@example.ua",))).then(
        an(IdentifierAdded, contact_id=known.contact_id, kind="telegram", value="77"),
        an(IdentifierAdded, contact_id=known.contact_id, kind="email", value="oleh@example.ua"),
        an(ConversationOpened, contact_id=known.contact_id),
        an(MessageReceived),
    )


def test_a_number_that_a_known_person_gives_and_another_has_is_suspicious_once() -> None:
    """Not with each of their messages."""
    story = given(form("form", phones=[OLEH]), HELLO)
    known, chat = (contact.contact_id for contact in story.contacts())
    said = {"account": "second", "phones": (phone(OLEH),)}
    story.when(message("2", **said)).then(
        an(DuplicateSuspected, contact_id=chat, other_id=known, kind="phone", value=OLEH),
        an(ConversationOpened),
        an(MessageReceived),
    )
    story.when(message("3", message="3", **said)).then(an(MessageReceived))


def test_who_has_another_account_of_the_channel_is_somebody_else() -> None:
    story = given(message("1", phones=(phone(OLEH),)))
    story.when(message("2", chat="78", sender="78", phones=(phone(OLEH),)))
    assert len(story.contacts()) == 2


def test_what_a_later_version_tells_of_the_customer_is_learnt() -> None:
    given(HELLO).when(message("2", emails=("oleh@example.ua",))).then(
        an(DeliveryNoted, why="this message is known"), an(IdentifierAdded, kind="email", value="oleh@example.ua")
    )


def test_a_changed_number_is_learnt_and_merges_nobody() -> None:
    changed = {"kind": "service", "message": "2", "text": "[changed number]", "shared_is_own": True}
    given(HELLO).when(message("2", shared_phone=phone(OLEH), **changed)).then(
        an(ConversationNoted), an(IdentifierAdded, kind="phone", value=OLEH)
    )
    given(form("form", phones=[OLEH]), HELLO).when(message("2", shared_phone=phone(OLEH), **changed)).then(
        an(ConversationNoted), an(DuplicateSuspected, kind="phone", value=OLEH)
    )
