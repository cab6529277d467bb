"""Laws that hold whatever people do between the facts: state is a fold in any interleaving, no kopeck is lost, each way
to know somebody leads to one card, and a row has the version that its thing has."""

from collections import Counter, defaultdict
from typing import Any

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from crm.decisions.contacts import card_of, cards, cards_of, doubted, held_by, holder, line, names
from crm.decisions.settlement import given as given_to
from crm.decisions.versions import BY_ID, version_of
from crm.events import ContactRenamed
from crm.scalars import Id
from crm.state import Contact, Deal, Identity, Load, Numbers, Payment, Workspace
from crm.state.entities import ONLY
from projections import PROJECTIONS
from tests.support.command_strategies import any_story
from tests.support.fact_strategies import PHONES
from tests.support.operator_session import OperatorSession
from tests.support.projection_events import fold as rows_of
from tests.support.scenarios import RULES, SHOP
from tests.unit.crm.decisions.test_laws import interleaved, things


def every(story: OperatorSession, kind: type[Any]) -> list[Any]:
    return [thing for thing in story.state.things.values() if isinstance(thing, kind)]


@for_any(any_story(), st.randoms(use_true_random=False))
def test_the_state_is_a_fold_of_the_journal_in_any_interleaving(story: OperatorSession, random: Any) -> None:
    assert things(story.decide.journal) == story.state.things
    assert things(interleaved(story.decide.journal, random)) == story.state.things


@for_any(any_story())
def test_each_way_to_know_somebody_leads_to_the_card_that_has_it(story: OperatorSession) -> None:
    for card in story.contacts():
        for way in card.identifiers:
            assert card in cards_of(story.state, way)
            keeps = held_by(story.state, way, card)
            assert line(story.state, keeps.contact_id)[-1] == card
            assert all(way in one.identifiers for one in line(story.state, keeps.contact_id))
            if card.contact_id in doubted(story.state, way):
                assert card_of(story.state, way) is holder(story.state, way) is None
            else:
                assert card_of(story.state, way) == card
                assert holder(story.state, way) == keeps
                assert cards_of(story.state, way) == [card]
    known = {key for kind, key in story.state.things if kind == Identity.__name__}
    assert known == {way for contact in every(story, Contact) for way in contact.identifiers}


@for_any(any_story())
def test_no_kopeck_is_lost(story: OperatorSession) -> None:
    deals = {deal.deal_id: deal for deal in every(story, Deal)}
    paid_for: defaultdict[Id, int] = defaultdict(int)
    for payment in every(story, Payment):
        for deal_id in payment.deals:
            paid_for[deal_id] += given_to(payment, deals[deal_id], "settled")
    assert {id: deal.paid_minor for id, deal in deals.items()} == {id: paid_for[id] for id in deals}


@for_any(any_story())
def test_counts_are_right(story: OperatorSession) -> None:
    deals = every(story, Deal)
    numbers = story.state.get(Numbers, ONLY) or Numbers()
    assert numbers.standing == dict(Counter(deal.stage for deal in deals))
    loads = {key: load.open_deals for (_, key), load in story.state.things.items() if isinstance(load, Load)}
    assert loads == {owner: sum(d.open and d.owner == owner for d in deals) for owner in loads}
    for contact in every(story, Contact):
        open_ids = {deal.deal_id for deal in deals if deal.open and deal.contact_id == contact.contact_id}
        assert {*contact.open_deals} == open_ids
    workspace = story.state.get(Workspace, ONLY)
    assert workspace and set(numbers.standing) <= {*workspace.stages, "won", "lost", "paid", "part_paid"}


@for_any(any_story())
def test_a_row_has_the_version_that_its_thing_has(story: OperatorSession) -> None:
    for name in (*BY_ID, "pipeline", "field"):
        for (_, key), row in rows_of(PROJECTIONS[name], story.decide.journal).items():
            version: int = row.version  # type: ignore[attr-defined]  # those rows have one
            assert version == version_of(story.state, name, key)


@settings(max_examples=50)
@for_any(any_story())
def test_what_is_in_a_row_is_what_was_decided(story: OperatorSession) -> None:
    deals: Any = rows_of(PROJECTIONS["deal"], story.decide.journal)
    for deal in every(story, Deal):
        row = deals[SHOP, deal.deal_id]
        shown = row.stage, row.owner, row.paid_minor, row.held_minor, row.amount_minor, row.currency
        assert shown == (deal.stage, deal.owner, deal.paid_minor, deal.held_minor, deal.amount_minor, deal.currency)
    contacts: Any = rows_of(PROJECTIONS["contact"], story.decide.journal)
    for contact in every(story, Contact):
        row = contacts[SHOP, contact.contact_id]
        identifiers = {f"phone:{v}" for v in row.phones} | {f"email:{v}" for v in row.emails} | {*row.accounts}
        assert (row.merged_into, identifiers) == (contact.merged_into, {*contact.identifiers})
        known = names(story.state, contact)
        assert row.name == contact.name if contact.name or not known else row.name in known
        others = [one.fields for one in cards(story.state, contact)]
        for name in {*row.fields, *contact.fields}:  # what a card does not say, those merged into it may
            said = {contact.fields[name]} if name in contact.fields else {one.get(name) for one in others}
            assert row.fields.get(name) in said


@settings(max_examples=50)
@for_any(any_story())
def test_a_merge_and_its_undoing_leave_every_card_as_it_was(story: OperatorSession) -> None:
    standing = [contact.contact_id for contact in story.contacts()]
    if len(standing) < 2:
        return
    before = shown(story)
    story.do("contact_merge", contact_id=standing[0], into_id=standing[1])
    story.do("contact_unmerge", contact_id=standing[0])
    assert shown(story) == before


def shown(story: OperatorSession) -> dict[str, Any]:
    """Cards without how often and when they were touched, and by what they are known in any order. A payment may have
    found its deal by the merge, and taught its account."""
    rows: Any = rows_of(PROJECTIONS["contact"], story.decide.journal)
    return {
        id: (row.name, row.fields, row.conflicts, row.sources, row.merged_into, *map(frozenset, known_by(row)))
        for (_, id), row in rows.items()
    }


def known_by(row: Any) -> tuple[tuple[str, ...], ...]:
    return row.phones, row.emails, tuple(row.doubted)


def test_the_law_of_versions_would_see_a_forgotten_event() -> None:
    """The planted bug: a row that took an event less has another version than its thing."""
    story = OperatorSession(*RULES).do("contact_create", name="Ivan", phones=PHONES[:1])
    id = story.contact("Ivan").contact_id
    story.do("contact_change", contact_id=id, name="Petro")
    forgetful = [event for event in story.decide.journal if not isinstance(event, ContactRenamed)]
    row: Any = rows_of(PROJECTIONS["contact"], forgetful)[SHOP, id]
    assert row.version != version_of(story.state, "contact", id)
