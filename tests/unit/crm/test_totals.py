"""How totals are declared, and how a span of time is put together from the cells that are kept."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from crm import totals
from crm.envelope import Row
from crm.events import ContactRenamed, DealOpened
from crm.moments import micros
from crm.projection import Projection, projection
from crm.scalars import Id, Micros
from crm.totals import A_DAY, DAY, MONTH, ROWS, Part, Total, month_begin, next_month, parts
from projections import PROJECTIONS

SIZES = {ROWS: 1, DAY: A_DAY, MONTH: A_DAY}
HOUR = 3_600_000_000
moments = st.integers(-62_135_596_800_000_000, 253_402_300_799_000_000)


class SampleRow(Row, frozen=True, gc=False):
    """A sample."""

    deal_id: Id
    stage: str
    amount_minor: int
    opened_at: Micros
    touched_at: Micros


class CountedRow(Row, frozen=True, gc=False):
    """A sample with a currency."""

    deal_id: Id
    stage: str
    amount_minor: int
    currency: str
    opened_at: Micros
    touched_at: Micros


def declared(needs_row: bool = True, **given: Any) -> Projection[Any]:
    def sample(row: SampleRow | None, event: DealOpened) -> SampleRow | None:
        return row

    def own(row: None, event: ContactRenamed) -> SampleRow | None:
        return None

    def replaced(row: None, event: DealOpened) -> SampleRow | None:
        return None

    def counted(row: CountedRow | None, event: DealOpened) -> CountedRow | None:
        return row

    given.setdefault("indexes", ("opened_at", "stage, touched_at"))
    fold: Any = sample if needs_row else replaced
    if given.pop("currency", False):
        fold = counted
    if given.pop("own", False):
        fold = own
    return projection(key="deal_id", version=1, **given)(fold)


def at(text: str) -> Micros:
    return micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_a_total_is_declared_in_one_word() -> None:
    assert totals.totals(PROJECTIONS["deal"]) == (
        Total("stage, owner", ("stage", "owner")),
        Total("source by opened_at", ("source",), "opened_at"),
        Total("owner by opened_at", ("owner",), "opened_at"),
        Total("stage, owner by closed_at", ("stage", "owner"), "closed_at"),
    )
    assert totals.groups(PROJECTIONS["deal"]) == ("stage", "owner", "source")
    assert totals.places(PROJECTIONS["deal"]) == {
        **dict.fromkeys(("stage", "owner", "source", "currency"), "text"),
        "opened_at": "timestamptz",
        "closed_at": "timestamptz",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"totals": ("stag",)}, "The total 'stag' of sample groups by 'stag'. It can group by deal_id, stage."),
        ({"totals": ("stage by stage",)}, "is by 'stage'. It can be by opened_at, touched_at, each with an index"),
        ({"totals": ("stage by touched_at",)}, "is by 'touched_at'. It can be by opened_at, touched_at, each with an"),
        ({"totals": ("stage",), "summed": ("stage",)}, "sample sums 'stage'. It can sum amount_minor."),
        ({"totals": ("stage",), "summed": ("amount_minor",)}, "has no column `currency`"),
        ({"summed": ("amount_minor",)}, "sums amount_minor and declares no totals."),
        ({"totals": ("stage",), "needs_row": False}, "replaced replaces rows that it does not look at"),
    ],
)
def test_a_total_that_cannot_be_kept_is_refused_where_it_is_declared(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"sample|replaced") as refused:
        declared(**given)
    assert said in str(refused.value)


def test_rows_that_no_later_event_changes_may_be_counted() -> None:
    assert declared(own=True, totals=("stage by opened_at",)).totals == ("stage by opened_at",)


def test_a_month_in_kyiv_is_one_month_and_a_few_hours_added_and_taken_away() -> None:
    begin, end = at("2026-01-31T22:00"), at("2026-02-28T22:00")
    assert list(parts(begin, end)) == [
        Part(1, ROWS, begin, at("2026-02-01T00:00")),
        Part(1, MONTH, at("2026-02-01T00:00"), at("2026-03-01T00:00")),
        Part(-1, ROWS, end, at("2026-03-01T00:00")),
    ]


def test_a_year_in_nepal_is_twelve_months_and_some_hours() -> None:
    begin, end = at("2025-12-31T18:15"), at("2026-12-31T18:15")
    assert [(part.sign, part.grain, (part.end - part.begin) / HOUR) for part in parts(begin, end)] == [
        (1, ROWS, 5.75),
        (1, MONTH, 365 * 24),
        (-1, ROWS, 5.75),
    ]


def test_a_day_is_a_day_and_a_few_hours() -> None:
    begin, end = at("2026-05-05T21:00"), at("2026-05-06T21:00")
    assert [(part.sign, part.grain) for part in parts(begin, end)] == [(1, ROWS), (1, DAY), (-1, ROWS)]
    assert list(parts(begin, begin)) == list(parts(end, begin)) == []


@for_any(begin=moments, length=st.one_of(st.integers(0, 90 * A_DAY), st.integers(0, 9_000 * A_DAY)))
def test_parts_cover_a_span_once(begin: int, length: int) -> None:
    """Whatever the span: every moment within it counts once, every other one not at all."""
    end = begin + length
    found = list(parts(Micros(begin), Micros(end)))
    edges = sorted({begin, end, *(edge for part in found for edge in (part.begin, part.end))})
    for one, other in pairwise(edges):
        counted = sum(part.sign for part in found if part.begin <= one and other <= part.end)
        assert counted == (begin <= one < end)
    for part in found:
        assert part.begin < part.end
        assert part.begin % SIZES[part.grain] == part.end % SIZES[part.grain] == 0
        if part.grain == MONTH:
            assert month_begin(part.begin) == part.begin
            assert month_begin(part.end) == part.end
    assert sum(part.end - part.begin for part in found if part.grain == ROWS) <= 1.5 * A_DAY
    assert sum(part.end - part.begin for part in found if part.grain == DAY) <= 2 * 31 * A_DAY


@for_any(st.datetimes(datetime(1, 2, 1), datetime(9999, 11, 30)))
def test_months_are_those_of_the_calendar(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    begin = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert month_begin(micros(moment)) == micros(begin)
    following = (begin + timedelta(days=32)).replace(day=1)
    assert next_month(micros(moment)) == micros(following)


def test_months_beyond_the_calendar_of_python() -> None:
    assert next_month(at("9999-12-31T12:00")) == micros(datetime(9999, 12, 1, tzinfo=UTC)) + 31 * A_DAY
    assert month_begin(Micros(at("0001-01-01T00:00") - 1)) == at("0001-01-01T00:00") - 31 * A_DAY


def test_the_index_of_a_time_holds_what_is_counted_there() -> None:
    """Only where each text fits into an index already: an index row ends after 2,704 bytes."""
    deal = PROJECTIONS["deal"]
    assert totals.held(deal, "opened_at") == ["amount_minor", "paid_minor", "currency", "owner", "source"]
    assert totals.held(deal, "closed_at") == ["amount_minor", "paid_minor", "currency", "stage", "owner"]
    assert totals.held(deal, "touched_at") == totals.held(deal, "stage, opened_at") == []
    assert totals.held(PROJECTIONS["payment"], "created_at") == []


def test_a_batch_of_changes_comes_down_to_a_few_sums() -> None:
    """Two deals of one day that change their amounts, and one that moves, from cells of another day."""
    made = declared(totals=("stage", "stage by opened_at"), summed=("amount_minor",), currency=True)
    tally = totals.Tally(made)

    def row(stage: str, amount: int, at: int, touched: int = 0) -> Any:
        return CountedRow(Id("d"), stage, amount, "UAH", Micros(at), Micros(touched))

    tally.change(("w", 3), row("new", 100, A_DAY + 5), row("new", 150, A_DAY + 5))
    tally.change(("w", 3), row("new", 10, 2 * A_DAY - 1), row("new", 5, 2 * A_DAY - 1))
    tally.change(("w", 3), None, row("new", 2**63, 5))
    tally.change(("w", 3), row("new", 7, -5), row("won", 7, -5))
    tally.change(("w", 4), row("new", 1, 5), row("new", 1, 5, touched=9))
    tally.change(("w", 4), row("new", 1, 5), None)
    tally.change(("w", 5), row("new", 1, 5), row("new", 2, 5))
    tally.change(("w", 5), row("new", 2, 5), row("new", 1, 5))
    assert tally.changes() == [
        ("w", 3, "new", "UAH", A_DAY, 0, 45),
        ("w", 3, "new", "UAH", 0, 1, 2**63),
        ("w", 3, "new", "UAH", -A_DAY, -1, -7),
        ("w", 3, "won", "UAH", -A_DAY, 1, 7),
        ("w", 4, "new", "UAH", 0, -1, -1),
    ]
