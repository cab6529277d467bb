"""Contacts of other systems: their key identifies a card, the newest report counts, and evidence keeps its weight."""

from crm.decisions.commands import COMMANDS
from crm.decisions.commands.contact_change import ContactChange
from crm.decisions.own_keys import OwnKey
from crm.events import (
    ContactAbsorbed,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    DeliveryNoted,
    DuplicateSuspected,
    FieldDefined,
    IdentifierAdded,
    IdentifierRemoved,
    ReportRecorded,
)
from crm.scalars import Id
from projections.contact import ContactRow, contact
from projections.timeline import timeline
from tests.support.projection_events import fold
from tests.support.scenarios import SHOP, KnownBy, Story, an, contact_report, form, given, meta, phone, shop

OLEH, PETRO = "+380501112233", "+380679998877"
CARD = OwnKey("contact", "shop", "42").id_in(SHOP)


def row_of(story: Story, key: Id = CARD) -> ContactRow:
    row = fold(contact, story.decide.journal)[SHOP, key]
    assert isinstance(row, ContactRow)
    return row


def test_an_unknown_key_makes_a_card_that_is_found_by_it() -> None:
    story = given(
        contact_report("1", 1, name="Oleh", phones=(phone(OLEH),), emails=("o@x.ua",), fields={"vip": "true"})
    )
    story.then(
        an(
            ContactCreated,
            contact_id=CARD,
            name="Oleh",
            source="shop",
            identifiers=KnownBy(shop="42", phone=OLEH, email="o@x.ua"),
            fields={"vip": "true"},
        )
    )
    assert [event.report.key for event in story.every(ContactCreated) if event.report] == ["42"]
    row = row_of(story)
    assert (row.accounts, row.phones, row.fields) == (("shop:42",), (OLEH,), {"vip": "true"})


def test_a_repetition_says_nothing_and_a_newer_one_what_it_changes() -> None:
    story = given(contact_report("1", 1, name="Oleh", phones=(phone(OLEH),)))
    story.when(contact_report("2", 1, name="Oleh", phones=(phone(OLEH),))).then(an(DeliveryNoted, kind="contact"))
    story.when(contact_report("3", 2, name="Oleh", phones=(phone(OLEH),))).then(an(ReportRecorded))
    story.when(contact_report("4", 3, name="Oleh Koval")).then(
        an(ContactRenamed, name="Oleh Koval"), an(ReportRecorded)
    )
    story.when(contact_report("5", 2, name="Late", phones=(phone(PETRO),)))
    assert (row_of(story).name, row_of(story).phones) == ("Oleh Koval", (OLEH, PETRO))


def test_a_name_by_hand_survives_repetitions() -> None:
    story = given(contact_report("1", 1, name="Oleh"))
    rename = ContactChange(meta=meta("by hand"), contact_id=CARD, name="Oleh K.")
    story.decide.carry_out(COMMANDS["contact_change"], rename)
    story.when(contact_report("2", 2, name="Oleh")).then(an(ReportRecorded))
    assert row_of(story).name == "Oleh K."


def test_a_card_that_was_there_keeps_its_name_and_gets_the_key() -> None:
    story = given(form("1", phones=[OLEH], name="Oleh"), contact_report("1", 1, name="Oleg", phones=(phone(OLEH),)))
    story.then(an(IdentifierAdded, kind="shop", value="42"), an(ReportRecorded))
    (known,) = story.contacts()
    assert (known.name, known.identifiers) == ("Oleh", (f"phone:{OLEH}", "shop:42"))


def test_a_telephone_of_another_card_is_a_suspicion_and_never_a_merge() -> None:
    story = given(form("1", phones=[OLEH], name="Oleh"), contact_report("1", 1, name="Petro"))
    story.when(contact_report("2", 2, phones=(phone(OLEH),)))
    story.then(an(DuplicateSuspected, contact_id=CARD), an(ReportRecorded))
    assert row_of(story).phones == ()
    story.when(contact_report("3", 3, phones=(phone(OLEH),))).then(an(ReportRecorded))


def test_two_keys_of_one_system_are_two_people_whatever_telephone_they_share() -> None:
    story = given(contact_report("1", 1, name="Oleh", phones=(phone(OLEH),)))
    story.when(contact_report("2", 1, key="43", name="Oleh", phones=(phone(OLEH),)))
    assert len(story.contacts()) == 2


def test_deleting_takes_the_key_from_the_card_and_nothing_else() -> None:
    story = given(contact_report("1", 1, name="Oleh", phones=(phone(OLEH),)))
    story.when(contact_report("2", 2, deleted=True))
    story.then(an(IdentifierRemoved, kind="shop", value="42", why="shop deleted it"), an(ReportRecorded))
    row = row_of(story)
    assert (row.name, row.phones, row.accounts) == ("Oleh", (OLEH,), ())
    entries = [entry.title for entry in fold(timeline, story.decide.journal).values() if hasattr(entry, "title")]
    assert "No longer known by shop 42" in entries
    story.when(contact_report("3", 3, name="Oleh")).then(an(IdentifierAdded, kind="shop"), an(ReportRecorded))
    assert row_of(story).accounts == ("shop:42",)


def test_a_delete_before_the_create_is_not_overcome_by_an_older_one() -> None:
    story = given(contact_report("2", 2, deleted=True)).then(an(ReportRecorded, contact_id=None))
    story.when(contact_report("1", 1, name="Oleh")).then(an(ContactCreated, identifiers=(), fields={}))
    assert row_of(story).accounts == ()


def test_merged_keys_are_one_card_and_later_reports_go_there() -> None:
    story = given(
        contact_report("1", 1, name="Oleh"), contact_report("2", 1, key="43", name="Olena", phones=(phone(OLEH),))
    )
    story.when(contact_report("3", 2, key="43", merged_into="42"))
    story.then(an(ContactMerged, into_id=CARD, why="shop merged shop:43 into shop:42"), an(IdentifierAdded, value="43"),
               an(IdentifierAdded, value=OLEH), an(ContactAbsorbed), an(ReportRecorded))  # fmt: skip
    story.when(contact_report("4", 3, key="43", name="Oleh Koval")).then(
        an(ContactRenamed, contact_id=CARD), an(ReportRecorded)
    )
    row = row_of(story)
    assert (row.name, row.accounts, row.phones) == ("Oleh Koval", ("shop:42", "shop:43"), (OLEH,))


def test_a_value_that_does_not_fit_its_field_is_shown_in_the_timeline() -> None:
    number = FieldDefined(meta("f", stream=SHOP), Id("f"), "contact", "age", "Age", "number")
    story = Story(*shop(), number).when(contact_report("1", 1, fields={"age": '"old"', "city": '"Lviv"'}))
    assert row_of(story).fields == {"city": '"Lviv"'}
    (entry,) = [
        one for one in fold(timeline, story.decide.journal).values() if getattr(one, "kind", "") == "ReportDoubted"
    ]
    assert getattr(entry, "text", "") == "'Age' should be a number, and \"old\" is none: not changed."
