"""One row per workspace: its stages, and how it reads numbers and sums that do not say."""

from crm.envelope import Row
from crm.events import WorkspaceCreated
from crm.projection import projection
from crm.scalars import Id


class PipelineRow(Row, frozen=True, gc=False):
    """The pipeline of a workspace. A deal in one of `stages` is open."""

    pipeline_id: Id  # the event's: a workspace is created once
    name: str
    country: str
    currency: str
    timezone: str
    stages: tuple[str, ...]
    paid_stage: str
    part_paid_stage: str


@projection(key="pipeline_id", version=1)
def pipeline(row: None, event: WorkspaceCreated) -> PipelineRow | None:
    return PipelineRow(
        pipeline_id=event.meta.id,
        name=event.name,
        country=event.country,
        currency=event.currency,
        timezone=event.timezone,
        stages=event.stages,
        paid_stage=event.paid_stage,
        part_paid_stage=event.part_paid_stage,
    )
