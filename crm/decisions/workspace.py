"""The pipeline that a workspace begins with, and what a decision needs of its workspace."""

from datetime import UTC, datetime, timedelta

from crm.decisions.case import Case, State
from crm.scalars import Micros
from crm.state import Workspace, known
from crm.state.entities import ONLY
from crm.zones import of_workspace

STAGES = ("new", "in_progress", "part_paid", "paid")
PAID_STAGE = "paid"
PART_PAID_STAGE = "part_paid"
LARGEST_SUM = 10**15  # minor units: so no sum of sums ever leaves 64 bits
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MOMENT = 250_000_000_000_000_000  # in the year 9892: a zone's offset still fits into a datetime


def workspace_of(case: Case) -> Workspace:
    """Decisions are only run on a workspace that exists."""
    return known_workspace(case.state)


def known_workspace(state: State) -> Workspace:
    """Returns the workspace of a state. Raises Broken when there is none."""
    return known(state, Workspace, ONLY)


def hour_in(timezone: str, at: Micros) -> int:
    """The hour of the workspace's day, 0 to 23; in UTC when no zone has its name (older releases took any)."""
    moment = EPOCH + timedelta(microseconds=max(0, min(at, LAST_MOMENT)))
    return moment.astimezone(of_workspace(timezone)).hour
