"""dealLose: a deal comes to nothing."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text
from crm.decisions.stages import moved
from crm.envelope import Event
from crm.scalars import Id


class DealLose(Command, frozen=True, gc=False, kw_only=True):
    """Ends a deal as lost, and says why."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    why: Annotated[str, About(max_length=500, description="Why; shown to people. It may not be empty.")]
    expected_version: ExpectedVersion = None


@command(row="deal")
def deal_lose(command: DealLose, case: Case) -> Iterator[Event]:
    yield from moved(case, command.deal_id, "lost", require_text(command.why, "why"), command.expected_version)
