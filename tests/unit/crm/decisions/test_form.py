"""Story 1: a form becomes a contact and a deal, with an owner at once."""

from msgspec.structs import replace

from crm.events import (
    ContactCreated,
    ContactRenamed,
    DealAssigned,
    DealOpened,
    DeliveryNoted,
    DuplicateSuspected,
    IdentifierAdded,
    IdentifierDoubted,
)
from crm.shared import AssignmentRule, Phone
from tests.support.scenarios import MINUTE, NOON, KnownBy, an, form, given, shop

OLEH = "+380501112233"
IRA = "+380679998877"


def test_a_form_from_somebody_new_becomes_a_contact_and_a_deal() -> None:
    said = form("1", phones=[OLEH], emails=("oleh@ua.net",), name="Олег", form="Callback", amount_minor=15050)
    given().when(said).then(
        an(ContactCreated, name="Олег", source="form", identifiers=KnownBy(phone=OLEH, email="oleh@ua.net")),
        an(DealOpened, number=1, title="Callback: Олег", amount_minor=15050, currency="UAH", stage="new"),
        an(DealAssigned, owner="", rule="", why="nobody: the workspace has no assignment rules yet"),
    )


def test_a_known_phone_finds_the_contact_and_a_new_e_mail_is_learnt() -> None:
    story = given(form("1", phones=[OLEH], form="A")).when(form("2", phones=[OLEH], emails=("o@ua.net",), name="Олег"))
    story.then(
        an(ContactRenamed, name="Олег"),
        an(IdentifierAdded, kind="email", value="o@ua.net"),
        an(DealOpened, number=2),
        an(DealAssigned),
    )
    assert len(story.contacts()) == 1
    assert story.contacts()[0].identifiers == (f"phone:{OLEH}", "email:o@ua.net")


def test_an_e_mail_alone_finds_the_contact_whatever_its_case() -> None:
    story = given(form("1", emails=("o@ua.net",), form="A")).when(form("2", emails=("O@UA.net",), form="B"))
    story.then(an(DealOpened, contact_id=story.contacts()[0].contact_id, number=2), an(DealAssigned))


def test_a_name_is_never_written_over() -> None:
    story = given(form("1", phones=[OLEH], name="Олег Коваль")).when(form("2", phones=[OLEH], name="олежка", form="B"))
    story.then(an(DealOpened, title="B: олежка"), an(DealAssigned))
    assert story.contacts()[0].name == "Олег Коваль"


def test_the_phone_wins_over_the_e_mail_of_somebody_else() -> None:
    story = given(form("1", phones=[OLEH]), form("2", emails=("ira@ua.net",)))
    oleh, ira = (contact.contact_id for contact in story.contacts())
    story.when(form("3", phones=[OLEH], emails=("ira@ua.net",), form="B")).then(
        an(DuplicateSuspected, contact_id=oleh, other_id=ira, kind="email", value="ira@ua.net"),
        an(IdentifierDoubted, contact_id=oleh, other_id=ira, kind="email", value="ira@ua.net"),
        an(IdentifierDoubted, contact_id=ira, other_id=oleh, kind="email", value="ira@ua.net"),
        an(DealOpened, contact_id=oleh),
        an(DealAssigned),
    )


def test_an_e_mail_that_stands_for_none_finds_nobody() -> None:
    """Twenty people without an e-mail had typed no@mail.com and had become one card."""
    crowd = [form(str(n), phones=[f"+3805000000{n:02}"], emails=("no@mail.com",)) for n in range(10, 30)]
    story = given(*crowd)
    assert len(story.contacts()) == 20
    story.when(form("last", phones=[OLEH], emails=("no@mail.com",))).then(
        an(ContactCreated, identifiers=KnownBy(phone=OLEH)), an(DealOpened), an(DealAssigned)
    )


def test_an_e_mail_that_a_crowd_types_becomes_doubtful_before_it_has_many_numbers() -> None:
    """No list knows every address that people make up: those who give no name are distinguished by their numbers."""
    crowd = [form(str(n), phones=[f"+3805011122{n:02}"], emails=("x@ua.net",)) for n in range(10, 17)]
    story = given(*crowd)
    assert [len(one.identifiers) for one in sorted(story.contacts(), key=lambda one: -len(one.identifiers))] == [
        6,
        2,
        2,
    ]


def test_the_same_form_within_ten_minutes_is_one_wish() -> None:
    first = form("1", NOON, phones=[OLEH], form="Callback", fields={"city": '"Kyiv"'})
    again = form("2", NOON + 9 * MINUTE, phones=[OLEH], form="Callback", fields={"city": '"Kyiv"'})
    given(first).when(again).then(an(DeliveryNoted, kind="form", why="its sender sent the same form before"))
    given(again).when(first).then(an(DeliveryNoted))


def test_another_word_is_another_wish() -> None:
    first = form("1", NOON, phones=[OLEH], form="Callback", fields={"city": '"Kyiv"'})
    other = form("3", NOON + MINUTE, phones=[OLEH], form="Callback", fields={"city": '"Lviv"'})
    given(first).when(other).then(an(DealOpened, number=2), an(DealAssigned))


def test_the_same_form_delivered_twice_is_one_form() -> None:
    said = form("1", phones=[OLEH])
    assert given(said).when(said).events == []


def test_a_phone_that_cannot_be_read_is_still_seen() -> None:
    title = "Form (phone as written: 12-34)"
    said = replace(form("1"), phones=(Phone("12-34", ""),))
    given().when(said).then(an(ContactCreated), an(DealOpened, title=title), an(DealAssigned))


def test_a_sum_that_cannot_be_true_opens_a_deal_of_unknown_sum_and_says_so() -> None:
    why = "The sum cannot be true, so it was left out: -100 in the smallest unit of the currency."
    given().when(form("1", amount_minor=-100)).then(
        an(ContactCreated), an(DealOpened, amount_minor=0, suspicious="", doubts=(why,)), an(DealAssigned)
    )


KYIV = AssignmentRule("Kyiv", ("anna", "borys", "vira", "hlib"), field="city", value="kyiv")
NIGHT = AssignmentRule("Night", ("nick",), from_hour=18, to_hour=9, pick="first")
REST = AssignmentRule("Rest", ("olha", "petro"), pick="least_open")
RULES = shop(KYIV, NIGHT, REST)


def test_round_robin_takes_turns_and_says_which() -> None:
    in_kyiv = {"city": '"Київ"'}
    rule = AssignmentRule("Київ", ("anna", "borys", "vira"), field="city", value="київ")
    story = given(*shop(rule), *(form(str(n), phones=[f"+38050000000{n}"], fields=in_kyiv) for n in range(2)))
    story.when(form("third", phones=[OLEH], fields=in_kyiv))
    assert story.events[-1].why == "rule “Київ” (version 1): round robin, turn 3 of 3"
    assert [a.owner for a in story.every(DealAssigned)] == ["anna", "borys", "vira"]
    story.when(form("fourth", phones=[IRA], fields=in_kyiv))
    assert story.events[-1].why == "rule “Київ” (version 1): round robin, turn 1 of 3"


def test_the_first_rule_that_fits_decides_and_hours_are_the_workspaces() -> None:
    noon = given(*RULES).when(form("1", NOON, phones=[OLEH]))
    assert noon.events[-1].why == "rule “Rest” (version 1): least open deals, 0"
    evening = given(*RULES).when(form("1", NOON + 6 * 60 * MINUTE, phones=[OLEH]))  # 18:00 in Kyiv, 16:00 UTC
    assert evening.events[-1].owner == "nick"
    assert evening.events[-1].why == "rule “Night” (version 1): the first of its owners"
    before = given(*RULES).when(form("1", NOON + 6 * 60 * MINUTE - 1, phones=[OLEH]))
    assert before.events[-1].owner == "olha"


def test_least_open_counts_open_deals_only() -> None:
    forms = [form(str(n), phones=[f"+38050000000{n}"]) for n in range(3)]
    story = given(*RULES, *forms)
    assert [a.owner for a in story.every(DealAssigned)] == ["olha", "petro", "olha"]
    story.moved(1, "lost").moved(3, "lost").when(form("next", phones=[OLEH]))
    assert story.events[-1].owner == "olha"
    assert story.events[-1].why == "rule “Rest” (version 1): least open deals, 0"


def test_a_contact_with_an_open_deal_keeps_its_owner() -> None:
    story = given(*RULES, form("1", phones=[OLEH])).when(form("2", phones=[OLEH], form="B", fields={"city": '"Kyiv"'}))
    story.then(
        an(DealOpened, number=2),
        an(DealAssigned, owner="olha", rule="", why="olha already has an open deal with this contact"),
    )
    story.moved(1, "lost").moved(2, "lost").when(form("3", phones=[OLEH], form="C", fields={"city": '"Kyiv"'}))
    assert story.events[-1].owner == "anna"


def test_what_looks_like_a_robots_gets_no_owner() -> None:
    story = given(*RULES).when(form("1", phones=[OLEH], suspicious="the hidden field was filled in"))
    assert story.events[-1].owner == ""
    assert story.events[-1].why == "nobody: it looks like a robot's (the hidden field was filled in)"


def test_a_lead_that_no_rule_fits_has_no_owner_and_says_so() -> None:
    story = given(*shop(AssignmentRule("Calls", ("anna",), source="call"))).when(form("1", phones=[OLEH]))
    assert (story.events[-1].owner, story.events[-1].why) == ("", "nobody: no rule of version 1 fits")
