"""stageRemove: a stage that nobody needs."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.pipelines import changed
from crm.decisions.stages import in_pipeline
from crm.decisions.workspace import workspace_of
from crm.envelope import Event


class StageRemove(Command, frozen=True, gc=False, kw_only=True):
    """Takes a stage out of the pipeline. It is refused while deals stand in it, or while money moves deals there."""

    key: Annotated[str, About(max_length=200, description="Which stage.")]
    expected_version: ExpectedVersion = None


@command(row="pipeline")
def stage_remove(command: StageRemove, case: Case) -> Iterator[Event]:
    workspace = workspace_of(case)
    require_version(workspace, command.expected_version)
    key = in_pipeline(workspace, command.key, "key")
    stages = [stage for stage in workspace.stages if stage != key]
    yield from changed(case, f"stage {key} was removed", stages, workspace.labels)
