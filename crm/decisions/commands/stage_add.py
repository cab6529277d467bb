"""stageAdd: one more stage in the pipeline."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.pipelines import changed
from crm.decisions.stages import in_pipeline
from crm.decisions.workspace import workspace_of
from crm.envelope import Event


class StageAdd(Command, frozen=True, gc=False, kw_only=True):
    """Adds a stage to the pipeline, at its end, or before the stage that is named."""

    key: Annotated[str, About(max_length=100, description="What programs call it; it never changes its meaning.")]
    label: Annotated[str, About(max_length=100, description="What people call it; empty: its key.")] = ""
    before: Annotated[Short | None, About(description="Key of the stage that it comes before.")] = None
    expected_version: ExpectedVersion = None


@command(row="pipeline")
def stage_add(command: StageAdd, case: Case) -> Iterator[Event]:
    workspace = workspace_of(case)
    require_version(workspace, command.expected_version)
    stages = list(workspace.stages)
    place = len(stages)
    if command.before is not None:
        place = stages.index(in_pipeline(workspace, command.before, "before"))
    stages.insert(place, command.key)
    labels = {**workspace.labels, command.key: command.label or command.key}
    yield from changed(case, f"stage {command.key} was added", stages, labels)
