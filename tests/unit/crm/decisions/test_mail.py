"""A mail lands in the conversation of its thread, on the card of whom it is with, and never on a mailer's."""

from itertools import permutations

from crm.events import (
    ContactCreated,
    ConversationOpened,
    DealAssigned,
    DealOpened,
    DeliveryNoted,
    IdentifierDoubted,
    MessageEdited,
    MessageReceived,
)
from crm.facts import MailReported
from crm.shared import Attachment
from tests.support.scenarios import MINUTE, NOON, KnownBy, Story, an, form, given, mail

FIRST = mail(
    "a@x", subject="Стіл", text="Чи є стіл?", sender="Олена <olena@example.net>", sent_to=("shop@example.com",)
)
ANSWER = mail("b@us", NOON + MINUTE, references=("a@x",), direction="out", sender="Shop <shop@example.com>", text="Є")
THANKS = mail("c@x", NOON + 2 * MINUTE, references=("a@x", "b@us"), text="Беру")


def conversations(story: Story) -> list[set[str]]:
    """The mails of each conversation."""
    found: dict[str, set[str]] = {}
    for event in story.every(MessageReceived):
        found.setdefault(event.conversation_id, set()).add(event.message)
    return sorted(found.values(), key=sorted)


def test_somebody_new_writes_and_becomes_a_lead() -> None:
    given().when(FIRST).then(
        an(ContactCreated, name="Олена", source="mail", identifiers=KnownBy(email="olena@example.net")),
        an(ConversationOpened, channel="mail", chat="a@x", title="Стіл"),
        an(
            MessageReceived,
            message="a@x",
            subject="Стіл",
            text="Чи є стіл?",
            sender_name="Олена",
            sent_to=("shop@example.com",),
            thread=("a@x",),
            direction="in",
            sent_at=NOON,
        ),
        an(DealOpened, title="Mail: Стіл", source="mail"),
        an(DealAssigned),
    )


def test_a_thread_is_one_conversation_in_whatever_order_its_mails_come() -> None:
    for order in permutations((FIRST, ANSWER, THANKS)):
        story = given(*order)
        assert conversations(story) == [{"a@x", "b@us", "c@x"}]
        assert len(story.contacts()) == 1
        assert len(story.every(DealOpened)) == 1


def test_a_mail_that_names_only_the_one_before_is_in_its_thread() -> None:
    story = given(FIRST, ANSWER).when(mail("d@x", references=("b@us",), text="А два?"))
    story.then(an(MessageReceived, reply_to="b@us", thread=("d@x",)))
    assert conversations(story) == [{"a@x", "b@us", "d@x"}]


def test_a_new_subject_without_references_is_another_conversation_and_no_second_lead() -> None:
    story = given(FIRST, mail("z@x", subject="Стілець"))
    assert conversations(story) == [{"a@x"}, {"z@x"}]
    assert (len(story.contacts()), len(story.every(DealOpened))) == (1, 1)


def test_the_same_mail_by_two_mailboxes_is_one() -> None:
    given(FIRST).when(mail("a@x", text="Чи є стіл?\nСписок розсилки")).then(an(DeliveryNoted, why="this mail is known"))


def test_a_known_customer_is_found_by_their_address_and_never_renamed() -> None:
    story = given(form("1", emails=("olena@example.net",), name="Олена Петрівна")).when(FIRST)
    story.then(an(ConversationOpened), an(MessageReceived))
    assert [card.name for card in story.contacts()] == ["Олена Петрівна"]


def test_a_mailbox_of_a_firm_is_somebody_else_under_another_name() -> None:
    office = {"customer": "office@firm.example", "subject": "Рахунок"}
    story = given(mail("1@f", customer_name="Іван Пробний", **office), mail("2@f", customer_name="Іван", **office))
    assert [card.name for card in story.contacts()] == ["Іван Пробний"]
    story.when(mail("3@f", customer_name="Марія Тестова", **office))
    assert sorted(card.name for card in story.contacts()) == ["Іван Пробний", "Марія Тестова"]
    assert story.every(IdentifierDoubted)


def test_whom_we_wrote_to_is_no_lead_until_they_answer() -> None:
    ours = mail("o@us", direction="out", sender="shop@example.com", subject="Пропозиція")
    story = given().when(ours)
    story.then(an(ContactCreated), an(ConversationOpened), an(MessageReceived, direction="out"))
    story.when(mail("p@x", references=("o@us",), subject="Re: Пропозиція", text="Цікаво"))
    story.then(an(MessageReceived, text="Цікаво"), an(DealOpened, title="Mail: Re: Пропозиція"), an(DealAssigned))


def test_a_colleague_who_answers_for_them_makes_the_thread_a_lead_and_has_no_card_by_that() -> None:
    ours = mail("o@us", direction="out", sender="shop@example.com")
    story = given(ours, mail("p@x", references=("o@us",), customer="ivan@example.net", customer_name="Іван"))
    assert [card.name for card in story.contacts()] == ["Олена"]
    assert story.every(MessageReceived)[-1].sender_name == "Іван"
    assert len(story.every(DealOpened)) == 1


def test_nobody_who_can_be_answered_has_no_card_and_their_mail_is_seen() -> None:
    story = given().when(
        mail("n@bank", customer="", customer_name="", sender="Bank <noreply@bank.example>", subject="1")
    )
    story.then(an(ConversationOpened, title="1"), an(MessageReceived, sender_name="Bank <noreply@bank.example>"))
    assert story.contacts() == []


def test_a_person_who_answers_in_a_talk_with_nobody_is_a_lead_of_their_own() -> None:
    story = given(mail("n@bank", customer="", sender="noreply@bank.example"), mail("p@x", references=("n@bank",)))
    assert conversations(story) == [{"n@bank"}, {"p@x"}]
    assert len(story.every(DealOpened)) == 1


def test_what_is_automatic_is_kept_and_makes_neither_card_nor_deal() -> None:
    given().when(mail("news@x", automatic="bulk", subject="Знижки")).then(
        an(DeliveryNoted, why="bulk, of no thread that is known here; kept raw: Знижки")
    )


def test_an_automatic_answer_lands_in_the_thread_and_makes_no_deal() -> None:
    ours = mail("o@us", direction="out", sender="shop@example.com")
    story = given(ours).when(mail("ooo@x", references=("o@us",), automatic="auto-reply", text="Відпустка"))
    story.then(an(MessageReceived, text="Відпустка"))
    bounce = mail("bounce@mx", references=("o@us",), automatic="bounce", customer="", sender="mailer-daemon@mx.example")
    story.when(bounce).then(an(MessageReceived, sender_name="mailer-daemon@mx.example"))


def by_site(id: str, person: str, at: int, **said: object) -> MailReported:
    return mail(id, at, by_mailer=True, customer=f"{person.lower()}@example.net", customer_name=person, **said)


def test_forms_of_one_mailer_with_one_thread_or_one_id_are_of_each_person() -> None:
    """A site that sends every form with the same References, or the same Message-ID: the second lead was a message in
    the first one's conversation."""
    story = given(
        by_site("1@site", "Ivan", NOON, references=("form@site",)),
        by_site("2@site", "Maria", NOON + 1, references=("form@site",)),
        by_site("same@site", "Petro", NOON + 2),
        by_site("same@site", "Anna", NOON + 3),
        by_site("same@site", "Anna", NOON + 4, text="again"),
    )
    assert sorted(card.name for card in story.contacts()) == ["Anna", "Ivan", "Maria", "Petro"]
    assert len(story.every(DealOpened)) == 4
    assert len(story.every(ConversationOpened)) == 4
    assert len(story.every(MessageReceived)) == 5


def test_our_answer_to_a_form_and_theirs_to_it_are_in_its_conversation() -> None:
    story = given(
        by_site("1@site", "Ivan", NOON),
        mail("b@us", NOON + 1, direction="out", customer="ivan@example.net", references=("1@site",)),
        mail("c@x", NOON + 2, customer="ivan@example.net", references=("1@site", "b@us")),
    )
    assert conversations(story) == [{"1@site", "b@us", "c@x"}]


def test_the_text_of_a_mail_whose_notice_had_none_comes_later() -> None:
    notice = mail("r@x", subject="Гарантія", attachments=(Attachment("file", "a.png", ref="1"),))
    whole = mail(
        "r@x", text="Який строк?", html="<p>Який строк?</p>", attachments=(Attachment("file", "a.png", ref="2"),)
    )
    given(notice).when(whole).then(an(MessageEdited, text="Який строк?", html="<p>Який строк?</p>"))
    given(notice, whole).when(mail("r@x", NOON, text="Який строк? ")).then(an(DeliveryNoted, why="this mail is known"))
    given(whole).when(notice).then(an(DeliveryNoted, why="this mail is known"))
