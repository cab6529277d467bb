"""Deals of other systems: the newest report of each field counts, in any order, and what a person changed stays."""

from msgspec.structs import replace

from crm.commands import Money
from crm.decisions.commands import COMMANDS
from crm.decisions.commands.deal_change import DealChange
from crm.decisions.own_keys import OwnKey
from crm.events import (
    ContactCreated,
    ContactMerged,
    DealAssigned,
    DealChanged,
    DealOpened,
    DealPaid,
    DealStageMoved,
    DeliveryNoted,
    IdentifierAdded,
    PaymentMatched,
    PaymentRecorded,
    PipelineChanged,
    ReportDoubted,
    ReportRecorded,
)
from crm.scalars import Id
from crm.shared import AssignmentRule, Payer
from crm.state import Contact, Deal
from projections.deal import DealRow, deal
from tests.support.projection_events import fold
from tests.support.scenarios import (
    MINUTE,
    NOON,
    SHOP,
    KnownBy,
    Story,
    an,
    contact_report,
    deal_report,
    form,
    given,
    meta,
    paid,
    phone,
    shop,
)

OLEH = "+380501112233"
DEAL = OwnKey("deal", "shop", "17").id_in(SHOP)
CARD = OwnKey("contact", "shop", "42").id_in(SHOP)


def row_of(story: Story, key: Id = DEAL) -> DealRow:
    row = fold(deal, story.decide.journal)[SHOP, key]
    assert isinstance(row, DealRow)
    return row


def test_an_unknown_key_opens_a_deal_at_its_own_moment() -> None:
    report = deal_report("1", 1, NOON, title="Order 17", stage="in_progress", amount_minor=100, owner="anna@x.ua")
    story = given(replace(report, contact_key="42", name="Oleh", phones=(phone(OLEH),), fields={"city": '"Lviv"'}))
    story.then(
        an(ContactCreated, contact_id=CARD, source="shop", identifiers=KnownBy(shop="42", phone=OLEH)),
        an(DealOpened, deal_id=DEAL, contact_id=CARD, source="shop", stage="in_progress", title="Order 17"),
        an(DealAssigned, owner="anna@x.ua", rule="", why="shop says so"),
    )
    row = row_of(story)
    assert (row.opened_at, row.amount_minor, row.currency, row.external_ids) == (NOON, 100, "UAH", ("shop:17",))
    assert (row.fields, row.owner, row.doubts) == ({"city": '"Lviv"'}, "anna@x.ua", ())


def test_without_an_owner_the_assignment_rules_find_one() -> None:
    story = Story(*shop(AssignmentRule("Shop", ("olha",), source="shop"))).when(deal_report("1", 1))
    story.then(an(ContactCreated), an(DealOpened, title="shop:17", stage="new"), an(DealAssigned, owner="olha"))


def test_a_later_report_is_one_event_of_what_it_changes() -> None:
    story = given(deal_report("1", 1, title="Order", stage="new", amount_minor=100))
    story.when(deal_report("2", 2, NOON + MINUTE, title="Order", stage="in_progress", amount_minor=100))
    story.then(an(DealStageMoved, from_stage="new", stage="in_progress", why="shop says so"))
    story.when(deal_report("3", 3, title="Order 17")).then(an(DealChanged, title="Order 17", amount_minor=None))
    story.when(deal_report("4", 4, title="Order 17")).then(an(ReportRecorded, deal_id=DEAL))
    story.when(deal_report("5", 4, title="Order 17")).then(an(DeliveryNoted, connector="shop", kind="deal"))
    assert (row_of(story).stage, row_of(story).title) == ("in_progress", "Order 17")


def test_a_late_report_fills_only_what_no_newer_one_gave() -> None:
    story = given(deal_report("2", 2, NOON + MINUTE, stage="paid"))
    story.when(deal_report("1", 1, NOON, stage="new", title="Order", reference="R-1"))
    story.then(an(DealChanged, title="Order", reference="R-1", opened_at=NOON))
    row = row_of(story)
    assert (row.stage, row.title, row.reference, row.opened_at) == ("paid", "Order", "R-1", NOON)


def test_a_change_by_hand_is_not_undone_by_a_repetition_but_by_news() -> None:
    story = given(deal_report("1", 1, stage="new", title="Order")).moved(1, "in_progress")
    story.when(deal_report("2", 2, stage="new", title="Order")).then(an(ReportRecorded))
    assert story.deal(1).stage == "in_progress"
    story.when(deal_report("3", 3, stage="paid")).then(an(DealStageMoved, from_stage="in_progress", stage="paid"))


def test_of_two_values_of_one_moment_the_larger_counts_whatever_came_first() -> None:
    note = 'two reports of the same moment give title as "b" and "a": the larger one counts'
    one, other = deal_report("1", 7, title="a"), deal_report("2", 7, title="b")
    first = given(one, other)
    first.then(an(DealChanged, title="b"), an(ReportDoubted, deal_id=DEAL, why=note))
    second = given(other, one)
    second.then(an(ReportRecorded), an(ReportDoubted, why=note))
    assert row_of(first).title == row_of(second).title == "b"


def test_the_clock_of_the_source_decides_where_it_has_no_version() -> None:
    newer = deal_report("1", title="new", at=NOON, changed_at=NOON + 5)
    story = given(newer, deal_report("2", title="old", at=NOON + MINUTE, changed_at=NOON + 4))
    assert row_of(story).title == "new"
    story.when(deal_report("3", title="newest", at=NOON + 2 * MINUTE))
    assert row_of(story).title == "newest"


def test_a_deleted_record_is_lost_with_its_money_and_a_newer_report_restores_it() -> None:
    story = given(deal_report("1", 1, amount_minor=200, stage="in_progress"), paid("1", 50, purpose="D-1"))
    assert story.deal(1).stage == "part_paid"
    story.when(deal_report("2", 5, deleted=True))
    story.then(an(DealStageMoved, from_stage="part_paid", stage="lost", why="shop deleted shop:17"))
    assert story.deal(1).paid_minor == 50
    story.when(deal_report("3", 4, title="late")).then(an(DealChanged, title="late"))
    assert story.deal(1).stage == "lost"
    story.when(deal_report("4", 6)).then(an(DealStageMoved, stage="in_progress", why="shop:17 is there again"))


def test_a_delete_before_the_create_leaves_a_tombstone() -> None:
    story = given(deal_report("2", 2, NOON + MINUTE, deleted=True))
    story.then(an(ReportRecorded, contact_id=None, deal_id=None))
    assert fold(deal, story.decide.journal) == {}
    story.when(deal_report("1", 1, NOON, stage="paid"))
    story.then(an(ContactCreated), an(DealOpened, stage="paid"), an(DealAssigned), an(DealStageMoved, stage="lost"))
    story.when(deal_report("3", 3)).then(an(DealStageMoved, from_stage="lost", stage="paid"))


def test_a_stage_that_the_pipeline_has_no_more_is_not_restored() -> None:
    story = given(deal_report("1", 1, stage="in_progress"), deal_report("2", 2, deleted=True))
    at = meta("pipeline", stream=SHOP)
    story.decide.append(PipelineChanged(at, Id("p"), "", ("new", "paid"), {}, "paid", "new"))
    story.when(deal_report("3", 3)).then(an(DealStageMoved, from_stage="lost", stage="new"))


def test_a_merged_deal_is_lost_and_later_reports_of_its_key_go_to_the_one_that_stays() -> None:
    story = given(deal_report("a", 1, title="A"), deal_report("b", 1, key="18", title="B"))
    story.when(deal_report("m", 2, key="18", merged_into="17"))
    story.then(an(DealStageMoved, stage="lost", why="shop:18 was merged into shop:17"))
    story.when(deal_report("n", 3, key="18", title="C")).then(an(DealChanged, deal_id=DEAL, title="C"))
    story.when(deal_report("d", 4, key="18", deleted=True)).then(an(ReportRecorded))
    assert [(story.deal(n).stage, row_of(story, story.deal(n).deal_id).title) for n in (1, 2)] == [
        ("new", "C"),
        ("lost", "B"),
    ]
    story.when(deal_report("c", 5, merged_into="18"))
    story.then(an(DealChanged, doubts=("shop:17 cannot be merged into shop:18: that one is merged into it.",)))
    story.when(deal_report("u", 6, key="18", merged_into="")).then(an(DealStageMoved, from_stage="lost", stage="new"))


def test_a_merge_into_a_key_that_comes_later_keeps_the_contact() -> None:
    story = given(deal_report("1", 1, contact_key="42"), deal_report("2", 2, merged_into="99"))
    story.when(deal_report("3", 3, title="C"))
    assert (story.deal(2).contact_id, row_of(story, story.deal(2).deal_id).external_ids) == (CARD, ("shop:99",))


def test_a_deal_before_its_contacts_key_waits_on_the_card_of_that_key() -> None:
    story = given(deal_report("1", 1, contact_key="42"), contact_report("2", 1, name="Oleh", phones=(phone(OLEH),)))
    (contact,) = story.contacts()
    assert (contact.contact_id, contact.name) == (CARD, "Oleh")
    assert contact.identifiers == ("shop:42", f"phone:{OLEH}")
    assert story.deal(1).contact_id == CARD


def test_a_deal_without_a_contact_learns_whose_it_is() -> None:
    story = given(deal_report("1", 1), contact_report("2", 1, name="Oleh"))
    assert len(story.contacts()) == 2
    story.when(deal_report("3", 2, contact_key="42"))
    story.then(an(ContactMerged, into_id=CARD, why="shop:17 turned out to be of shop:42"), an(ReportRecorded))
    assert [contact.contact_id for contact in story.contacts()] == [CARD]


def test_a_deal_stays_with_its_card_when_another_contact_is_named() -> None:
    story = given(deal_report("1", 1, contact_key="42"), contact_report("2", 1, key="43", name="Petro"))
    story.when(deal_report("3", 2, contact_key="43")).then(an(DealChanged))
    assert story.deal(1).contact_id == CARD
    why = "The report names the contact shop:43, and the deal is another's: it stays. Merge the cards if not."
    assert row_of(story).doubts == (why,)


def test_the_contact_is_found_as_a_forms_sender_is_but_never_against_its_own_key() -> None:
    story = given(form("1", phones=[OLEH], name="Oleh"), deal_report("1", 1, contact_key="42", phones=(phone(OLEH),)))
    (contact,) = story.contacts()
    assert contact.identifiers == (f"phone:{OLEH}", "shop:42")
    story.when(deal_report("2", 1, key="18", contact_key="43", phones=(phone(OLEH),)))
    assert {one.contact_id for one in story.contacts()} == {
        contact.contact_id,
        OwnKey("contact", "shop", "43").id_in(SHOP),
    }


def test_a_telephone_that_comes_later_takes_the_payment_that_waited_for_it() -> None:
    story = given(paid("1", 300, payer=Payer(phone=OLEH)), deal_report("1", 1, amount_minor=300))
    assert story.deal(1).paid_minor == 0
    story.when(deal_report("2", 2, phones=(phone(OLEH),)))
    story.then(
        an(IdentifierAdded, value=OLEH), an(ReportRecorded), an(PaymentMatched), an(DealPaid), an(DealStageMoved)
    )
    assert (story.deal(1).paid_minor, story.deal(1).stage) == (300, "paid")


def test_a_new_sum_moves_the_stage_as_a_payment_would_and_takes_parked_money() -> None:
    story = given(paid("1", 300, reference="R-1"), deal_report("1", 1, amount_minor=500))
    story.when(deal_report("2", 2, reference="R-1"))
    story.then(an(DealChanged), an(PaymentMatched), an(DealPaid), an(DealStageMoved, stage="part_paid"))
    story.when(deal_report("3", 3, amount_minor=300)).then(an(DealChanged), an(DealStageMoved, stage="paid"))
    assert story.every(PaymentRecorded)


def test_a_sum_by_hand_survives_a_repetition() -> None:
    story = given(deal_report("1", 1, amount_minor=100))
    change = DealChange(meta=meta("by hand"), deal_id=DEAL, amount=Money(250))
    story.decide.carry_out(COMMANDS["deal_change"], change)
    story.when(deal_report("2", 2, amount_minor=100)).then(an(ReportRecorded))
    known = story.state.get(Deal, DEAL)
    assert known and known.amount_minor == 250
    assert isinstance(story.state.get(Contact, known.contact_id), Contact)
