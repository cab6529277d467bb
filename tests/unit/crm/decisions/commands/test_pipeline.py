"""The pipeline by hand: stages come, get another label or place, and go when nothing stands in them."""

import pytest

from crm.commands import Code
from crm.events import DealOpened, DealStageMoved, PipelineChanged
from crm.state import Numbers, Workspace
from crm.state.entities import ONLY
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import an, form, paid

OLENA = "+380671234567"


def shop() -> OperatorSession:
    """One deal, in the first stage."""
    return operator_session(form("1", phones=[OLENA], amount_minor=100))


def workspace(session: OperatorSession) -> Workspace:
    found = session.state.get(Workspace, ONLY)
    assert found
    return found


def test_a_stage_comes_where_it_is_wanted() -> None:
    session = shop().do("stage_add", key="offer", label="Пропозиція", before="part_paid")
    session.then(
        an(
            PipelineChanged,
            stages=("new", "in_progress", "offer", "part_paid", "paid"),
            labels={"offer": "Пропозиція"},
            paid_stage="paid",
            part_paid_stage="part_paid",
            why="stage offer was added",
        )
    )
    assert workspace(session).version == 2
    session.do("deal_move_stage", deal_id=session.id_of(), stage="offer").then(an(DealStageMoved, stage="offer"))
    session.refuses("stage_add", "stages", Code.TAKEN, key="offer")
    session.refuses("stage_add", "stages", Code.INVALID, key="won")
    session.refuses("stage_add", "stages", Code.INVALID, key=" ")
    session.refuses("stage_add", "before", Code.NOT_FOUND, key="x", before="nowhere")
    session.refuses("stage_add", "expectedVersion", Code.VERSION_CONFLICT, key="x", expected_version=1)


def test_a_stage_keeps_its_deals_whatever_it_is_called() -> None:
    session = shop().do("stage_change", key="new", label="Нові", before="paid")
    session.then(an(PipelineChanged, stages=("in_progress", "part_paid", "new", "paid"), labels={"new": "Нові"}))
    assert session.deal(1).stage == "new"
    session.do("stage_change", key="new", label="").then(an(PipelineChanged, labels={}))
    session.refuses("stage_change", "", Code.UNCHANGED, key="new", label="new")


def test_a_stage_goes_when_nothing_stands_in_it() -> None:
    session = shop()
    message = session.refuses("stage_remove", "stages", Code.IN_USE, key="new")
    assert message == "1 deals stand in 'new'. Nothing was changed: move them to another stage first."
    session.do("deal_move_stage", deal_id=session.id_of(), stage="in_progress")
    session.do("stage_remove", key="new").then(an(PipelineChanged, stages=("in_progress", "part_paid", "paid")))
    session.when(form("2", phones=["+380501112233"]))
    assert [event.stage for event in session.every(DealOpened)] == ["new", "in_progress"]


@pytest.mark.parametrize(("key", "field"), [("paid", "paidStage"), ("part_paid", "partPaidStage")])
def test_a_stage_that_money_moves_deals_to_stays(key: str, field: str) -> None:
    shop().refuses("stage_remove", field, Code.INVALID, key=key)


def test_the_whole_pipeline_is_changed_at_once() -> None:
    stages = [{"key": "new", "label": "Нові"}, {"key": "talks"}, {"key": "part"}]
    session = shop().do("pipeline_change", stages=stages, paid_stage="won", part_paid_stage="part", name="Shop 2")
    session.then(
        an(PipelineChanged, name="Shop 2", stages=("new", "talks", "part"), labels={"new": "Нові"}, paid_stage="won")
    )
    session.when(paid("1", 100, purpose="D-1"))
    assert session.deal(1).stage == "won"
    session.refuses("pipeline_change", "paidStage", Code.INVALID, paid_stage="nowhere")
    session.refuses("pipeline_change", "partPaidStage", Code.INVALID, part_paid_stage="won")
    session.refuses("pipeline_change", "stages", Code.INVALID, stages=[])
    session.refuses("pipeline_change", "", Code.UNCHANGED, name="Shop 2")


def test_how_many_stand_in_a_stage_is_counted_through_every_move() -> None:
    session = shop().when(form("2", phones=["+380501112233"], amount_minor=50), paid("1", 50, purpose="D-2"))
    session.do("deal_lose", deal_id=session.id_of(1), why="gone")
    assert session.state.get(Numbers, ONLY) == Numbers(2, {"lost": 1, "paid": 1})
