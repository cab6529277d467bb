"""stageChange: another label for a stage, or another place."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.pipelines import changed
from crm.decisions.stages import in_pipeline
from crm.decisions.workspace import workspace_of
from crm.envelope import Event


class StageChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes what people call a stage, or puts it before another. The deals in it stay in it."""

    key: Annotated[str, About(max_length=200, description="Which stage.")]
    label: Annotated[Short | None, About(description="What people call it.")] = None
    before: Annotated[Short | None, About(description="Key of the stage that it comes before.")] = None
    expected_version: ExpectedVersion = None


@command(row="pipeline")
def stage_change(command: StageChange, case: Case) -> Iterator[Event]:
    workspace = workspace_of(case)
    require_version(workspace, command.expected_version)
    key, stages, labels = in_pipeline(workspace, command.key, "key"), list(workspace.stages), dict(workspace.labels)
    if command.before is not None and command.before != key:
        in_pipeline(workspace, command.before, "before")
        stages.remove(key)
        stages.insert(stages.index(command.before), key)
    if command.label is not None:
        labels[key] = command.label.strip() or key
    yield from changed(case, f"stage {key} was changed", stages, labels)
