"""What of a report cannot be taken: the rest counts, the deal says why, and nothing that was known is lost."""

from typing import Any

import pytest
from msgspec.structs import replace

from crm.decisions.own_keys import MOST_FIELDS, OwnKey
from crm.events import (
    DealChanged,
    DealOpened,
    FactQuarantined,
    FieldDefined,
    ReportDoubted,
    ReportRecorded,
)
from crm.scalars import Id
from projections.deal import DealRow, deal
from tests.support.projection_events import fold
from tests.support.scenarios import (
    NOON,
    SHOP,
    Story,
    an,
    deal_report,
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


def test_what_cannot_be_taken_becomes_a_doubt_and_the_rest_counts() -> None:
    story = given(deal_report("1", 1, amount_minor=100), paid("1", 100, purpose="D-1"))
    bad = deal_report("2", 2, stage="shipped", owner="o" * 201, title="Order", amount_minor=5, currency="EUR")
    story.when(bad)
    story.then(an(DealChanged, title="Order", amount_minor=None, currency=None))
    row = row_of(story)
    assert (row.stage, row.owner, row.amount_minor, row.currency, row.paid_minor) == ("paid", "", 100, "UAH", 100)
    assert row.doubts == (
        "There is money in UAH on the deal, which is never converted: the amount in EUR was not taken.",
        "The owner has 201 characters; it has at most 200: not changed.",
        "There is no stage 'shipped': not moved. There are new, in_progress, part_paid, paid, won, lost.",
    )
    story.when(deal_report("3", 3, stage="won", owner="anna", amount_minor=200))
    row = row_of(story)
    assert (row.stage, row.owner, row.amount_minor, row.doubts) == ("won", "anna", 200, ())


def test_a_value_that_does_not_fit_its_field_is_not_taken() -> None:
    number = FieldDefined(meta("f", stream=SHOP), Id("f"), "deal", "guests", "Guests", "number")
    story = Story(*shop(), number).when(deal_report("1", 1, fields={"guests": '"2"', "city": '"Lviv"'}))
    assert row_of(story).fields == {"city": '"Lviv"', "guests": "2"}
    story.when(deal_report("2", 2, fields={"guests": '"many"', "city": "null"}))
    row = row_of(story)
    assert row.fields == {"guests": "2"}
    assert row.doubts == ("'Guests' should be a number, and \"many\" is none: not changed.",)


def test_a_telephone_that_cannot_be_read_is_seen_until_another_comes() -> None:
    story = given(deal_report("1", 1, phones=(phone("", "67-45"),), emails=("o@", "o@x.ua")))
    (contact,) = story.contacts()
    assert contact.identifiers == ("email:o@x.ua",)
    why = "It cannot be read as a telephone or an e-mail and identifies nobody: '67-45', 'o@'."
    assert row_of(story).doubts == (why,)
    story.when(deal_report("2", 2, phones=(phone(OLEH),)))
    assert row_of(story).doubts == ()


def test_a_record_has_a_thousand_fields_at_most() -> None:
    parts = [{f"f{part}-{n}": "1" for n in range(MOST_FIELDS)} for part in range(3)]
    story = given(*(deal_report(str(n), n, fields=fields) for n, fields in enumerate(parts)))
    assert len(row_of(story).fields) == 1_000
    (why,) = row_of(story).doubts
    assert why == "It has 1000 fields already, the most that are possible: 'f2-499' was not taken."


def test_versions_after_times_are_seen() -> None:
    story = given(deal_report("1", changed_at=NOON, title="a"), deal_report("2", 7, title="b"))
    why = "version 7 is compared with the times of earlier reports, so it counts as older: use the same for all"
    story.then(an(ReportRecorded), an(ReportDoubted, why=why))
    assert row_of(story).title == "a"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"key": " 17"}, "In `key`: ' 17' is empty or has blanks around it. Send it exactly as it is stored."),
        ({"key": ""}, "In `key`: '' is empty or has blanks around it. Send it exactly as it is stored."),
        ({"key": "k" * 196}, "In `key`: system and key are longer than 200 characters together."),
        ({"system": "Shop"}, "The system 'Shop' cannot be one: it has 1 to 40 lower case letters, digits, _ and -."),
        ({"system": "phone"}, "'phone' means something else already. Choose another name of the system."),
        ({"contact_key": "42 "}, "In `contact_key`: '42 ' is empty or has blanks around it. Send it exactly as it is "
                                 "stored."),
        ({"merged_into": "17"}, "'17' cannot be merged into itself."),
        ({"fields": {str(n): "1" for n in range(10_000)}},
         f"It has 10000 fields; a report has at most {MOST_FIELDS}. Send it in parts."),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_taken_changes_nothing(said: dict[str, Any], why: str) -> None:
    story = given(deal_report("1", 1))
    before = dict(story.state.things)
    story.when(deal_report("2", 2, **{"title": "changed"} | said))
    story.then(an(FactQuarantined, reason=f"{why} Nothing was changed; it is kept here."))
    left = {name: thing for name, thing in story.state.things.items() if name[0] != "Quarantined"}
    assert left == before


def test_another_workspaces_key_is_never_found() -> None:
    other = Id("99999999-9999-5999-8999-999999999999")
    story = given(deal_report("1", 1, title="ours"))
    story.decide.append(*shop(workspace=other))
    theirs = deal_report("2", 2, title="theirs")
    story.when(replace(theirs, meta=replace(theirs.meta, workspace=other)))
    mine, other_one = (event.deal_id for event in story.every(DealOpened))
    assert (mine == DEAL, other_one == DEAL) == (True, False)
    assert row_of(story).title == "ours"
