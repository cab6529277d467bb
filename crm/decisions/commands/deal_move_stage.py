"""dealMoveStage: a deal goes to another stage of the pipeline, also back from an outcome."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.stages import in_pipeline, moved
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.scalars import Id


class DealMoveStage(Command, frozen=True, gc=False, kw_only=True):
    """Puts a deal into a stage of the pipeline. One that was won or lost is open again."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    stage: Annotated[str, About(max_length=200, description="Key of the stage.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="deal")
def deal_move_stage(command: DealMoveStage, case: Case) -> Iterator[Event]:
    stage = in_pipeline(workspace_of(case), command.stage)
    yield from moved(case, command.deal_id, stage, command.why or "by hand", command.expected_version)
