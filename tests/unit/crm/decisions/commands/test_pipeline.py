"""The pipeline by hand: stages come, get another label or place, and go when nothing stands in them."""

import pytest

from crm.commands import Code
from crm.events import DealOpened, DealStageMoved, PipelineChanged
from crm.state import Numbers, Workspace
from crm.state.entities import ONLY
from tests.support.operator import AtTheDesk, at_the_desk
from tests.support.scenarios import an, form, paid

OLENA = "+380671234567"


def shop() -> AtTheDesk:
    """One deal, in the first stage."""
    return at_the_desk(form("1", phones=[OLENA], amount_minor=100))


def workspace(desk: AtTheDesk) -> Workspace:
    found = desk.state.get(Workspace, ONLY)
    assert found
    return found


def test_a_stage_comes_where_it_is_wanted() -> None:
    desk = shop().do("stage_add", key="offer", label="Пропозиція", before="part_paid")
    desk.then(
        an(
            PipelineChanged,
            stages=("new", "in_progress", "offer", "part_paid", "paid"),
            labels={"offer": "Пропозиція"},
            paid_stage="paid",
            part_paid_stage="part_paid",
            why="stage offer was added",
        )
    )
    assert workspace(desk).version == 2
    desk.do("deal_move_stage", deal_id=desk.id_of(), stage="offer").then(an(DealStageMoved, stage="offer"))
    desk.refuses("stage_add", "stages", Code.TAKEN, key="offer")
    desk.refuses("stage_add", "stages", Code.INVALID, key="won")
    desk.refuses("stage_add", "stages", Code.INVALID, key=" ")
    desk.refuses("stage_add", "before", Code.NOT_FOUND, key="x", before="nowhere")
    desk.refuses("stage_add", "expectedVersion", Code.VERSION_CONFLICT, key="x", expected_version=1)


def test_a_stage_keeps_its_deals_whatever_it_is_called() -> None:
    desk = shop().do("stage_change", key="new", label="Нові", before="paid")
    desk.then(an(PipelineChanged, stages=("in_progress", "part_paid", "new", "paid"), labels={"new": "Нові"}))
    assert desk.deal(1).stage == "new"
    desk.do("stage_change", key="new", label="").then(an(PipelineChanged, labels={}))
    desk.refuses("stage_change", "", Code.UNCHANGED, key="new", label="new")


def test_a_stage_goes_when_nothing_stands_in_it() -> None:
    desk = shop()
    told = desk.refuses("stage_remove", "stages", Code.IN_USE, key="new")
    assert told == "1 deals stand in 'new'. Nothing was changed: move them to another stage first."
    desk.do("deal_move_stage", deal_id=desk.id_of(), stage="in_progress")
    desk.do("stage_remove", key="new").then(an(PipelineChanged, stages=("in_progress", "part_paid", "paid")))
    desk.when(form("2", phones=["+380501112233"]))
    assert [event.stage for event in desk.every(DealOpened)] == ["new", "in_progress"]


@pytest.mark.parametrize(("key", "field"), [("paid", "paidStage"), ("part_paid", "partPaidStage")])
def test_a_stage_that_money_moves_deals_to_stays(key: str, field: str) -> None:
    shop().refuses("stage_remove", field, Code.INVALID, key=key)


def test_the_whole_pipeline_is_changed_at_once() -> None:
    stages = [{"key": "new", "label": "Нові"}, {"key": "talks"}, {"key": "part"}]
    desk = shop().do("pipeline_change", stages=stages, paid_stage="won", part_paid_stage="part", name="Shop 2")
    desk.then(
        an(PipelineChanged, name="Shop 2", stages=("new", "talks", "part"), labels={"new": "Нові"}, paid_stage="won")
    )
    desk.when(paid("1", 100, purpose="D-1"))
    assert desk.deal(1).stage == "won"
    desk.refuses("pipeline_change", "paidStage", Code.INVALID, paid_stage="nowhere")
    desk.refuses("pipeline_change", "partPaidStage", Code.INVALID, part_paid_stage="won")
    desk.refuses("pipeline_change", "stages", Code.INVALID, stages=[])
    desk.refuses("pipeline_change", "", Code.UNCHANGED, name="Shop 2")


def test_how_many_stand_in_a_stage_is_counted_through_every_move() -> None:
    desk = shop().when(form("2", phones=["+380501112233"], amount_minor=50), paid("1", 50, purpose="D-2"))
    desk.do("deal_lose", deal_id=desk.id_of(1), why="gone")
    assert desk.state.get(Numbers, ONLY) == Numbers(2, {"lost": 1, "paid": 1})
