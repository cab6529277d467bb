"""How long deals stood in each stage, of their events alone."""

from typing import Any

from api.history.stage_times import StageTime, StageTimes
from api.schema.scalars import Long
from crm.envelope import named_id
from crm.events import DealOpened, DealStageMoved
from crm.scalars import Id, Micros
from tests.support.scenarios import NOON, SHOP, meta

HOUR = 3_600_000_000
OLENA = named_id(SHOP, "olena")


def deal(name: str) -> Id:
    return named_id(SHOP, name)


def opened(name: str, hours: int) -> DealOpened:
    return DealOpened(meta(name, NOON + hours * HOUR), deal(name), OLENA, 1, name, 0, "UAH", "new", "form")


def moved(name: str, hours: int, before: str, stage: str) -> DealStageMoved:
    return DealStageMoved(meta(f"{name} {stage} {hours}", NOON + hours * HOUR), deal(name), OLENA, before, stage)


def stage(name: str, deals: int, there: int, stays: int, median: Any, tenth: Any, waiting: Any) -> StageTime:
    return StageTime(
        stage=name,
        deals=Long(deals),
        there=Long(there),
        stays=Long(stays),
        median_s=median,
        longest_tenth_s=tenth,
        waiting_s=waiting,
    )


def test_the_stays_of_each_stage_are_measured() -> None:
    times = StageTimes(None, None)
    times.take([opened("a", 0), moved("a", 2, "new", "offer"), moved("a", 5, "offer", "new")])
    times.take([moved("a", 9, "new", "won"), opened("b", 1), moved("b", 7, "new", "offer")])
    assert times.found(Micros(NOON + 10 * HOUR)) == [
        stage("new", 2, 0, 3, 4 * 3600.0, 5.6 * 3600, None),
        stage("offer", 2, 1, 1, 3 * 3600.0, 3 * 3600.0, 3 * 3600.0),
        stage("won", 1, 1, 0, None, None, 3600.0),
    ]


def test_only_deals_of_the_span_count_with_all_that_came_later() -> None:
    times = StageTimes(Micros(NOON + HOUR), Micros(NOON + 2 * HOUR))
    times.take([opened("before", 0), moved("before", 1, "new", "won"), opened("after", 2)])
    times.take([opened("within", 1), moved("within", 30, "new", "won")])
    assert [(one.stage, one.deals, one.median_s) for one in times.found(Micros(NOON + 40 * HOUR))] == [
        ("new", 1, 29 * 3600.0),
        ("won", 1, None),
    ]


def test_a_move_that_is_reported_late_takes_no_time() -> None:
    """Its moment is before that of the move which it follows: a stay is never shorter than nothing."""
    times = StageTimes(None, None)
    times.take([opened("a", 5), moved("a", 3, "new", "offer")])
    (new, _offer) = times.found(Micros(NOON + 5 * HOUR))
    assert (new.stays, new.median_s) == (1, 0.0)
