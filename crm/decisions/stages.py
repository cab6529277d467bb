"""Stages by hand: which there are, and what moves a deal to another."""

from collections.abc import Iterator

from crm.commands import Code, Rejected
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.envelope import Event
from crm.events import DealStageMoved
from crm.scalars import Id
from crm.state import Deal, Workspace


def in_pipeline(workspace: Workspace, stage: str, field: str = "stage") -> str:
    """Raises Rejected when the pipeline has no such stage."""
    if stage in workspace.stages:
        return stage
    why = f"There is no stage {stage!r}; there are {', '.join(workspace.stages)}."
    raise Rejected(field, Code.NOT_FOUND, f"{why} dealWin and dealLose end a deal. Nothing was changed.")


def moved(case: Case, deal_id: Id, stage: str, why: str, expected: int | None) -> Iterator[Event]:
    """Raises Rejected when it stands there already."""
    deal = require(case.state, Deal, deal_id, "dealId")
    require_version(deal, expected)
    if deal.stage == stage:
        raise Rejected("dealId", Code.UNCHANGED, f"D-{deal.number} is {stage} already. Nothing was changed.")
    yield DealStageMoved(case.meta(deal.contact_id), deal_id, deal.contact_id, deal.stage, stage, why)
