"""dealWin: a deal ends well."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.stages import moved
from crm.envelope import Event
from crm.scalars import Id


class DealWin(Command, frozen=True, gc=False, kw_only=True):
    """Ends a deal as won."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="deal")
def deal_win(command: DealWin, case: Case) -> Iterator[Event]:
    yield from moved(case, command.deal_id, "won", command.why or "by hand", command.expected_version)
