"""One row each time a deal comes into a stage: time in stage is the step from one row to the next."""

from crm import Id, Micros, Row, projection
from crm.events import DealOpened, DealStageMoved


class StageEnteredRow(Row, frozen=True, gc=False):
    """A deal came into a stage."""

    entry_id: Id
    deal_id: Id
    stage: str
    entered_at: Micros


@projection(key="entry_id", version=1)
def stage_entered(row: None, event: DealOpened | DealStageMoved) -> StageEnteredRow | None:
    """No event has an `entry_id`, so the key is the event's own id: each event makes a row."""
    return StageEnteredRow(event.meta.id, event.deal_id, event.stage, event.meta.occurred_at)
