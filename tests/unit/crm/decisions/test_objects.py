"""Objects of a workspace's own: upsert by key, newer wins value by value, bad values kept out with a sentence."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as given_values
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from crm.contract.codec import encode
from crm.engine.in_memory import rebuilt
from crm.events import FactQuarantined, ObjectChanged, ObjectReportOutdated
from crm.facts import FactRetried, ObjectReported
from crm.objects import sortable_number
from crm.scalars import Micros
from crm.versions import OPEN_API
from tests.support.object_scenarios import SELLER, marketplace, reported, row_of, stored
from tests.support.operator_session import operator_session
from tests.support.scenarios import CONNECTION, NOON, SHOP, an, meta, shop

MINUTE = 60_000_000
OTHER = CONNECTION  # an id that is no workspace yet


def test_a_report_makes_an_object_and_a_later_one_changes_a_part_of_it() -> None:
    session = marketplace().when(reported(status="new", title=" Oksana's ", fields={"rating": 4.5, "city": "Lviv"}))
    session.then(
        an(ObjectChanged, type="seller", key="42", status="new", title="Oksana's", version=1, whole=True, shown=True,
           fields={"rating": "4.5", "city": '"Lviv"'}, newly_used=("rating", "city"), doubts=(), deleted=False)
    )  # fmt: skip
    session.when(reported(at=1, status="active", fields={"city": None, "tier": "gold"}))
    session.then(an(ObjectChanged, status="active", title=None, version=2, whole=False, deleted=None,
                    fields={"city": "null", "tier": '"gold"'}, newly_used=("tier",)))  # fmt: skip
    row = row_of(session)
    assert row and (row.status, row.title, row.fields) == ("active", "Oksana's", {"rating": "4.5", "tier": '"gold"'})
    assert (row.slot1, row.slot2, row.version) == (sortable_number(Decimal("4.5")), None, 2)
    assert (row.created_at, row.touched_at) == (NOON, NOON + MINUTE)


def test_a_late_report_fills_only_what_is_not_known_newer() -> None:
    session = marketplace().when(reported(at=5, status="active", fields={"city": "Lviv"}))
    session.when(reported(at=3, status="new", title="Old", fields={"city": "Kyiv", "rating": 3}))
    session.then(an(ObjectChanged, status=None, title="Old", fields={"rating": "3"}))
    session.when(reported(at=4, status="blocked")).then(
        an(ObjectReportOutdated, why="all that it tells is older than what is known")
    )
    row = row_of(session)
    assert row and (row.status, row.fields["city"], row.created_at) == ("active", '"Lviv"', NOON + 3 * MINUTE)


def test_the_same_report_again_changes_nothing() -> None:
    session = marketplace().when(reported(status="active", fields={"city": "Lviv"}))
    again = replace(reported(status="active", fields={"city": "Lviv"}), meta=meta("again"))
    session.when(again).then(an(ObjectReportOutdated, why="it says what is known already"))


def test_a_version_counts_before_times() -> None:
    session = marketplace().when(reported(at=9, version=1, status="new"), reported(at=1, version=2, status="active"))
    session.then(an(ObjectChanged, status="active", moment=2))


def test_changed_at_is_when_it_happened() -> None:
    at = Micros(NOON - MINUTE)
    session = marketplace().when(reported(changed_at=at, status="new"))
    assert session.events[0].meta.occurred_at == session.events[0].created_at == at


def test_two_reports_of_one_moment_end_the_same_in_either_order() -> None:
    """The larger JSON text wins, and the object says so."""
    for first, second in (("Kyiv", "Lviv"), ("Lviv", "Kyiv")):
        session = marketplace().when(reported(fields={"city": first}), reported(fields={"city": second}))
        row = row_of(session)
        assert row and row.fields["city"] == '"Lviv"'
        assert row.doubts == ('Two reports of the same moment differ in `city`: "Lviv" counts, the larger text.',)
        row = row_of(session.when(reported(at=1, fields={"city": "Odesa"})))
        assert row and row.doubts == ()


def test_deletes_come_before_creates_and_are_overcome_by_newer_reports() -> None:
    session = marketplace().when(reported(at=5, deleted=True))
    session.then(an(ObjectChanged, deleted=True, shown=False, whole=False))
    assert row_of(session.when(reported(at=3, status="new", title="Oksana's", fields={"city": "Lviv"}))) is None
    session.when(reported(at=6, status="active")).then(
        an(ObjectChanged, deleted=False, shown=True, whole=True, status="active",
           kept={"title": '"Oksana\'s"', "fields.city": '"Lviv"'})
    )  # fmt: skip
    row = row_of(session)
    assert row and (row.title, row.status, row.fields) == ("Oksana's", "active", {"city": '"Lviv"'})
    assert row.created_at == NOON + 3 * MINUTE


def test_an_unknown_type_is_quarantined_and_taken_up_once_it_is_defined() -> None:
    report = reported(status="active")
    session = operator_session().when(report).then(an(FactQuarantined))
    assert session.events[0].reason == (
        "No type of objects 'seller' is defined in this workspace. The report is kept. Define it with objectTypeDefine "
        "or `crm object define FILE`, then run `crm quarantine reparse --all`."
    )
    assert session.events[0].connector == "test"
    sent = replace(report, meta=replace(meta("sent"), actor=OPEN_API))
    assert session.when(sent).events[0].connector == "ObjectReported"
    session.do("object_type_define", **SELLER)
    session.when(FactRetried(meta("retry"), report.meta.id, encode(report)))
    row = row_of(session)
    assert row and row.status == "active"


@pytest.mark.parametrize(
    ("said", "doubt"),
    [
        ({"fields": {"rating": "high"}}, "'rating' takes a number. The value \"high\" was not taken."),
        ({"fields": {"tier": "iron"}}, "'tier' takes one of gold, silver. The value \"iron\" was not taken."),
        ({"status": "lost"}, "The status 'lost' was not taken: it is one of new, active, blocked."),
        ({"fields": {"parent": "42"}}, "'parent' points to the object itself. The value \"42\" was not taken."),
        (
            {"fields": {"parent": {"id": 7}}},
            "'parent' points to a seller: give it as \"42\" or {\"key\": \"42\"}. The value {\"id\":7} was not taken.",
        ),
        ({"fields": {"colour": "red"}}, "The field `colour` is not defined; its value is kept as it came."),
        ({"title": "x" * 501}, "`title` has at most 500 characters."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_kept_out_and_said(said: dict[str, Any], doubt: str) -> None:
    session = marketplace().when(reported(at=1, **said))
    row = row_of(session)
    assert row and row.doubts == (doubt,)
    assert row.fields == ({"colour": '"red"'} if "colour" in said.get("fields", {}) else {})


def test_a_value_that_fits_settles_the_doubt() -> None:
    session = marketplace().when(reported(at=1, fields={"rating": "high"}), reported(at=2, fields={"rating": 5}))
    row = row_of(session)
    assert row and (row.doubts, row.fields) == ((), {"rating": "5"})


def test_at_most_200_fields_of_an_object_are_taken() -> None:
    parts = ({f"f{n}": n for n in range(begin, begin + 150)} for begin in (0, 150))
    row = row_of(marketplace().when(*(reported(at=at, fields=part) for at, part in enumerate(parts))))
    assert row and len(row.fields) == 200
    most = "It has 200 fields, which is the most; others were not taken. Use several types with relations."
    assert most in row.doubts


def test_the_same_key_in_another_workspace_is_another_object() -> None:
    session = marketplace().when(reported(status="active"))
    before, theirs = row_of(session), reported(at=1, status="blocked")
    session.decide.append(*shop(workspace=OTHER))
    session.when(replace(theirs, meta=replace(theirs.meta, workspace=OTHER))).then(an(FactQuarantined))
    assert before and row_of(session) == before


def test_relations_are_kept_by_key_whether_or_not_their_targets_are_there() -> None:
    fields = {"owner": {"phone": "067 123 45 67"}, "parent": "7", "deal": {"key": "17", "system": "shop"}}
    row = row_of(marketplace().when(reported(fields=fields)))
    assert row and row.related_to == ("deal:shop:17", "phone:+380671234567", "seller:7")


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ({"email": "A@Example.com"}, "email:a@example.com"),
        ({"account": "shop:42"}, "account:shop:42"),
        ({"key": "42"}, "account:api:42"),
        ("shop:42", "account:shop:42"),
        ({"id": SHOP}, f"contact:{SHOP}"),
    ],
)
def test_a_contact_is_named_by_any_identifier(given: Any, target: str) -> None:
    row = row_of(marketplace().when(reported(fields={"owner": given})))
    assert row and row.related_to == (target,)


def test_an_object_that_was_merged_is_found_by_the_other() -> None:
    session = marketplace().when(reported("17", status="active"), reported("42", status="new"))
    session.when(reported("42", at=1, merged_into="17")).then(
        an(ObjectChanged, key="42", merged_into="17", shown=False),
        an(ObjectChanged, key="17", aliases=("42",), version=2),
    )
    row = row_of(session, "17")
    assert row_of(session) is None and row and (row.merged_keys, row.status) == (("seller:42",), "active")
    session.when(reported("17", at=2, merged_into="42"))
    (event,) = session.events
    assert event.doubts[0].why == "It was not merged into '42', which was merged into \"17\" itself: name that one."
    session.when(reported("42", at=3, merged_into=""))
    row, other = row_of(session), row_of(session, "17")
    assert row and row.status == "new" and other and other.merged_keys == ()


def test_merging_into_what_is_not_there_yet_gives_it_the_key_when_it_comes() -> None:
    session = marketplace().when(reported("42", merged_into="17"))
    assert row_of(session, "17") is None
    row = row_of(session.when(reported("17", at=1, status="new")), "17")
    assert row and row.merged_keys == ("seller:42",)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"key": " 42"}, "The key ' 42' has blanks around it: two keys would look the same. Send it without them."),
        ({"key": ""}, "A key has 1 to 200 characters, and this one has 0."),
        ({"key": "x" * 201}, "A key has 1 to 200 characters, and this one has 201."),
        ({"merged_into": "42"}, "An object cannot be merged into itself."),
        ({"version": 0}, "A version is a whole number from 1 on."),
        (
            {"fields": {f"f{n}": n for n in range(10_000)}},
            "It has 10000 fields; an object has at most 200. Use several types with relations.",
        ),
    ],
)
def test_what_can_never_be_taken_is_quarantined(said: dict[str, Any], why: str) -> None:
    session = marketplace().when(reported(**said)).then(an(FactQuarantined))
    assert session.events[0].reason == f"{why} Nothing was changed; it is kept here."


VALUES = {"rating": [1, 2, None, "high"], "city": ["Kyiv", "Lviv", None], "colour": ["red", 7], "parent": ["7", "42"]}
REPORTS = st.builds(
    lambda at, status, title, fields, deleted: reported(
        at=at, status=status, title=title, fields=fields, deleted=deleted
    ),
    st.integers(0, 3),
    st.sampled_from([None, "new", "active", "lost"]),
    st.sampled_from([None, "A", "B"]),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}),
    st.sampled_from([None, None, True]),
)


REPORT_LISTS = st.lists(REPORTS, max_size=6, unique_by=lambda report: report.meta.id)
NUMBERS = st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=6)


@settings(max_examples=200, deadline=None)
@given_values(
    reports=st.lists(REPORTS, max_size=6, unique_by=lambda r: r.meta.id), order=st.randoms(use_true_random=False)
)
def test_every_order_of_reports_ends_in_the_same(reports: list[ObjectReported], order: Any) -> None:
    shuffled = [*reports]
    order.shuffle(shuffled)
    one, other = marketplace().when(*reports), marketplace().when(*shuffled)
    rows = [row_of(session) for session in (one, other)]
    plain = [row and {k: v for k, v in asdict(row).items() if k != "version"} for row in rows]
    assert plain[0] == plain[1]
    states = [thing and replace(thing, version=0) for thing in (stored(one), stored(other))]
    assert states[0] == states[1]
    assert rebuilt(one.decide.journal)[SHOP] == one.state.things


@given_values(NUMBERS, NUMBERS)
def test_numbers_sort_as_their_texts(one: Decimal, other: Decimal) -> None:
    texts = sortable_number(one), sortable_number(other)
    assert (texts[0] < texts[1], texts[0] == texts[1]) == (one < other, one == other)
