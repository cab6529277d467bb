"""pipelineChange: the whole pipeline at once: stages, their order, and where money moves deals."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Struct

from crm.commands import About, Command, ExpectedVersion, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.pipelines import changed
from crm.decisions.workspace import workspace_of
from crm.envelope import Event


class Stage(Struct, frozen=True, gc=False):
    """A stage of the pipeline."""

    key: Annotated[str, About(max_length=100, description="What programs call it; it never changes its meaning.")]
    label: Annotated[str, About(max_length=100, description="What people call it; empty: its key.")] = ""


class FollowedStatus(StrEnum):
    """The statuses of a parcel that can move its deal."""

    created = "created"
    in_transit = "in_transit"
    arrived = "arrived"
    failed = "failed"
    returning = "returning"
    received = "received"
    returned = "returned"


class ParcelStage(Struct, frozen=True, gc=False):
    """Where a deal goes when its parcel has come to a status."""

    status: Annotated[FollowedStatus, About(description="The status of the parcel.")]
    stage: Annotated[str, About(max_length=100, description="Key of the stage, or won or lost.")]


class PipelineChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes the pipeline. What is not given stays as it is. A stage that deals stand in cannot be left out."""

    expected_version: ExpectedVersion = None
    name: Annotated[Short | None, About(description="What people call the workspace.")] = None
    stages: Annotated[tuple[Stage, ...] | None, About(description="All of them, first to last before the outcome.")] = (
        None
    )
    paid_stage: Annotated[Short | None, About(description="Where a deal goes when it is paid in full, or won.")] = None
    part_paid_stage: Annotated[Short | None, About(description="Where a deal goes when a part is paid.")] = None
    parcel_stages: Annotated[
        tuple[ParcelStage, ...] | None,
        About(description="Where a deal goes when its parcel has come to a status; all of them."),
    ] = None


@command(row="pipeline")
def pipeline_change(command: PipelineChange, case: Case) -> Iterator[Event]:
    workspace = workspace_of(case)
    require_version(workspace, command.expected_version)
    stages, labels = workspace.stages, workspace.labels
    if command.stages is not None:
        stages = tuple(stage.key for stage in command.stages)
        labels = {stage.key: stage.label or stage.key for stage in command.stages}
    paid, part = command.paid_stage, command.part_paid_stage
    parcels = None
    if command.parcel_stages is not None:
        parcels = {one.status.value: one.stage for one in command.parcel_stages}
    yield from changed(case, "the pipeline was changed", stages, labels, paid, part, command.name, parcels)
