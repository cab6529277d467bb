"""Who a form comes from: identifiers weigh, names support or contradict them, and what is doubtful decides nothing."""

import pytest
from msgspec.structs import replace

from crm.decisions.contacts import Identifier, card_of, cards_of, doubted, identifies
from crm.events import (
    CallOpened,
    ContactCreated,
    DealAssigned,
    DealOpened,
    DuplicateSuspected,
    IdentifierAdded,
    IdentifierDoubted,
)
from crm.facts import FormSubmitted
from crm.shared import Phone
from tests.support.scenarios import KnownBy, Story, an, call, form, given

PETRO, NATALKA, IRA = "+380961112233", "+380631112233", "+380501112233"
FAMILY = "zaitsi@example.com"


def people(story: Story) -> dict[str, set[str]]:
    """What each card is known by, by its name."""
    return {contact.name: {*contact.identifiers} for contact in story.contacts()}


def test_another_name_with_a_new_number_under_a_known_e_mail_is_another_person() -> None:
    """It was a merge: she who called next popped up as him."""
    story = given(form("1", name="Петро Заєць", phones=[PETRO], emails=(FAMILY,)))
    petro = story.contacts()[0].contact_id
    story.when(form("2", name="Наталка Заєць", phones=[NATALKA], emails=(FAMILY,))).then(
        an(ContactCreated, name="Наталка Заєць", identifiers=KnownBy(phone=NATALKA)),
        an(DuplicateSuspected, other_id=petro, kind="email", value=FAMILY),
        an(IdentifierAdded, kind="email", value=FAMILY),
        an(IdentifierDoubted, other_id=petro, kind="email", value=FAMILY),
        an(IdentifierDoubted, contact_id=petro, kind="email", value=FAMILY),
        an(DealOpened, number=2),
        an(DealAssigned),
    )
    assert people(story) == {
        "Петро Заєць": {f"phone:{PETRO}", f"email:{FAMILY}"},
        "Наталка Заєць": {f"phone:{NATALKA}", f"email:{FAMILY}"},
    }
    assert card_of(story.state, f"email:{FAMILY}") is None
    assert len(doubted(story.state, f"email:{FAMILY}")) == 2
    assert identifies(story.state, Identifier("email", FAMILY)) is None


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("Наталя Заєць", "Наталка Заєць"),
        ("Petro", "Петро Заєць"),
        ("Заєць", None),
        ("", None),
        ("Іван Заєць", None),
    ],
)
def test_a_doubtful_e_mail_decides_only_together_with_a_name(name: str, whose: str | None) -> None:
    story = given(
        form("1", name="Петро Заєць", phones=[PETRO], emails=(FAMILY,)),
        form("2", name="Наталка Заєць", phones=[NATALKA], emails=(FAMILY,)),
    )
    before = {contact.contact_id: contact.name for contact in story.contacts()}
    story.when(form("3", form="B", name=name, emails=(FAMILY,)))
    assert before.get(story.every(DealOpened)[-1].contact_id) == whose


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Каріна Міль", "Karina Mil"),
        ("Каріна Міль", "Міль Каріна Петрівна"),
        ("Каріна Міль", "К. Міль"),
        ("Олександр Міль", "Саша"),
        ("", "Каріна Міль"),
        ("Каріна Міль", ""),
        ("Каріна Міль", "-"),
    ],
)
def test_a_new_number_under_a_known_e_mail_is_learnt_when_the_names_agree(first: str, second: str) -> None:
    story = given(form("1", name=first, phones=[PETRO], emails=("k@example.com",)))
    story.when(form("2", form="B", name=second, phones=[IRA], emails=("k@example.com",)))
    assert [{*one.identifiers} for one in story.contacts()] == [
        {f"phone:{PETRO}", f"phone:{IRA}", "email:k@example.com"}
    ]


@pytest.mark.parametrize(("mail", "cards"), [("karina.m@example.com", 1), ("mriia@example.com", 2)])
def test_another_surname_with_a_new_number_is_hers_only_where_the_mailbox_is_called_so(mail: str, cards: int) -> None:
    """Two namesakes at one mailbox became one card with both numbers."""
    story = given(form("1", name="Каріна Міль", phones=[PETRO], emails=(mail,)))
    story.when(form("2", form="B", name="Каріна Ткач", phones=[IRA], emails=(mail,)))
    assert len(story.contacts()) == cards


def test_a_roles_mailbox_identifies_nobody() -> None:
    story = given(
        form("1", name="Іван Гук", phones=[PETRO], emails=("info@firma.ua",)),
        form("2", name="Марія Лис", phones=[IRA], emails=("info@firma.ua",)),
        form("3", form="B", emails=("info@firma.ua",)),
        form("4", form="C", emails=("info@firma.ua",)),
    )
    assert set(people(story)) == {"Іван Гук", "Марія Лис", ""}
    assert identifies(story.state, Identifier("email", "info@firma.ua")) is None
    assert len({deal.contact_id for deal in story.every(DealOpened)[2:]}) == 1, "the mailbox's own card"
    story.when(form("5", form="D", name="Ivan Huk", emails=("info@firma.ua",)))
    assert story.every(DealOpened)[-1].contact_id == story.every(DealOpened)[0].contact_id


def test_a_roles_mailbox_and_a_first_name_with_a_new_number_are_somebody_new() -> None:
    story = given(form("1", name="Іван Гук", phones=[PETRO], emails=("sales@firma.ua",)))
    story.when(form("2", name="Іван", phones=[IRA], emails=("sales@firma.ua",)))
    assert people(story) == {
        "Іван Гук": {f"phone:{PETRO}", "email:sales@firma.ua"},
        "Іван": {f"phone:{IRA}", "email:sales@firma.ua"},
    }


def test_a_telephone_is_its_first_owners_whatever_else_a_form_says() -> None:
    story = given(form("1", name="Тихін", phones=[PETRO]), form("2", name="Галя", emails=("h@example.com",)))
    story.when(form("3", form="B", name="Тихін", phones=[PETRO], emails=("h@example.com",)))
    assert people(story) == {"Тихін": {f"phone:{PETRO}"}, "Галя": {"email:h@example.com"}}
    assert story.every(DealOpened)[-1].contact_id == story.every(DealOpened)[0].contact_id
    assert len(doubted(story.state, "email:h@example.com")) == 2
    story.when(form("4", form="C", name="Галя", emails=("h@example.com",)))
    assert story.every(DealOpened)[-1].contact_id == story.every(DealOpened)[1].contact_id
    story.when(form("5", form="D", phones=[PETRO, NATALKA]), form("6", form="E", phones=[NATALKA]))
    assert len(story.contacts()) == 2


def test_of_two_numbers_of_two_people_the_name_decides() -> None:
    story = given(form("1", name="Петро", phones=[PETRO]), form("2", name="Ira", phones=[IRA]))
    story.when(form("3", form="B", name="Ірина Дуб", phones=[PETRO, IRA]))
    assert story.every(DealOpened)[-1].contact_id == story.every(DealOpened)[1].contact_id
    assert doubted(story.state, f"phone:{PETRO}") == ()


def test_so_many_share_a_mailbox_that_it_is_not_counted_any_more() -> None:
    names = {n: f"Клара {'Бату' * (n // 10)}{'роми' * (n % 10)}нко" for n in range(10, 40)}
    crowd = [form(str(n), name=names[n], phones=[f"+3805011122{n}"], emails=("info@mall.ua",)) for n in names]
    story = given(*crowd)
    assert len(story.contacts()) == 30
    assert len(cards_of(story.state, "email:info@mall.ua")) == 20
    last = story.contacts()[-1]
    assert [one.kind for one in story.every(IdentifierDoubted) if one.contact_id == last.contact_id] == ["email"]


def test_every_connector_reads_e_mails_alike() -> None:
    """`/facts` took " Dana@ua.net " and "-" as they were: strangers became one, and one person two."""
    story = given(
        form("1", name="Дана", emails=("dana@ua.net", "-")),
        form("2", form="B", name="Дана", emails=(" Dana@ua.net ", "немає")),
        form("3", form="C", name="Гнат", phones=[PETRO], emails=("-",)),
    )
    assert people(story) == {"Дана": {"email:dana@ua.net"}, "Гнат": {f"phone:{PETRO}"}}
    unread = form("4", form="D", name="Ольга", emails=("olha koval@ua.net",), phones=[IRA])
    assert story.when(unread).every(DealOpened)[-1].doubts == (
        "The e-mail 'olha koval@ua.net' cannot be read with certainty: it is kept as it was written.",
    )


def test_an_offices_number_with_an_extension_is_not_one_persons() -> None:
    office = "+380441112233"

    def from_office(key: str, name: str, extension: str) -> FormSubmitted:
        return replace(form(key, form=key, name=name), phones=(Phone("044 111-22-33", office, extension),))

    story = given(from_office("1", "Іван Гук", "12"), from_office("2", "Марія Лис", "15"))
    assert people(story) == {"Іван Гук": {f"phone:{office}"}, "Марія Лис": {f"phone:{office}"}}
    assert card_of(story.state, f"phone:{office}") is None
    story.when(from_office("3", "Іван Гук", "12"), form("4", form="B", name="Марія", phones=[office]))
    assert [deal.contact_id for deal in story.every(DealOpened)[2:]] == [
        deal.contact_id for deal in story.every(DealOpened)[:2]
    ]


def test_calls_from_a_number_that_several_have_are_kept_together() -> None:
    office = "+380441112233"
    guests = [replace(form(n, form=n, name=n), phones=(Phone("", office, n[-1]),)) for n in ("Іван 1", "Марія 2")]
    story = given(*guests, call("1", "ringing", office), call("2", "ringing", office, call="c-2"))
    assert len(story.contacts()) == 3
    assert len({opened.contact_id for opened in story.every(CallOpened)}) == 1
    assert len(story.every(DealOpened)) == 3
