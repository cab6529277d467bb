"""One row per workspace: its stages, and its defaults for phone numbers and amounts without country or currency."""

from msgspec import json
from msgspec.structs import replace

from crm.envelope import Row
from crm.events import PipelineChanged, WorkspaceChanged, WorkspaceCreated
from crm.projection import Json, projection
from crm.scalars import Id


class PipelineRow(Row, frozen=True, gc=False):
    """The pipeline of a workspace. A deal in one of `stages` is open."""

    pipeline_id: Id  # of the event that created the workspace
    name: str
    country: str
    currency: str
    timezone: str
    stages: tuple[str, ...]
    paid_stage: str
    part_paid_stage: str
    labels: Json = {}  # noqa: RUF012  # msgspec gives each its own
    version: int = 1  # how many events it is a fold of; give it as expectedVersion
    parcel_stages: Json = {}  # noqa: RUF012  # where a parcel's status moves its deal


@projection(key="pipeline_id", version=4)
def pipeline(
    row: PipelineRow | None, event: WorkspaceCreated | PipelineChanged | WorkspaceChanged
) -> PipelineRow | None:
    if isinstance(event, PipelineChanged):
        return with_stages(row, event) if row else None
    if isinstance(event, WorkspaceChanged):
        return with_settings(row, event) if row else None
    return row or PipelineRow(
        pipeline_id=event.meta.id,
        name=event.name,
        country=event.country,
        currency=event.currency,
        timezone=event.timezone,
        stages=event.stages,
        paid_stage=event.paid_stage,
        part_paid_stage=event.part_paid_stage,
    )


def with_stages(row: PipelineRow, event: PipelineChanged) -> PipelineRow:
    """Returns the row after a change of the stages."""
    return replace(
        row,
        name=event.name,
        stages=event.stages,
        labels={stage: json.encode(label).decode() for stage, label in event.labels.items()},
        paid_stage=event.paid_stage,
        part_paid_stage=event.part_paid_stage,
        parcel_stages={status: json.encode(stage).decode() for status, stage in event.parcel_stages.items()},
        version=row.version + 1,
    )


def with_settings(row: PipelineRow, event: WorkspaceChanged) -> PipelineRow:
    """Returns the row after a change of the settings."""
    return replace(
        row,
        name=event.name,
        country=event.country,
        currency=event.currency,
        timezone=event.timezone,
        version=row.version + 1,
    )
