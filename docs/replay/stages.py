"""One row each time a deal enters a stage: the time in a stage is the difference to the next row."""

from crm import Id, Micros, Row, projection
from crm.events import DealOpened, DealStageMoved


class StageEnteredRow(Row, frozen=True, gc=False):
    """A deal entered a stage."""

    entry_id: Id
    deal_id: Id
    stage: str
    entered_at: Micros


@projection(key="entry_id", version=1)
def stage_entered(row: None, event: DealOpened | DealStageMoved) -> StageEnteredRow | None:
    """No event has an `entry_id`, so the key is the event's own id: each event makes a row of its own."""
    return StageEnteredRow(event.meta.id, event.deal_id, event.stage, event.meta.occurred_at)
