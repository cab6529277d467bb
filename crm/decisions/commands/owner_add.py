"""ownerAdd: one more salesperson, or one who comes back."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text
from crm.decisions.owners import owner_id, reach
from crm.envelope import Event
from crm.events import OwnerChanged
from crm.state import Owner


class OwnerAdd(Command, frozen=True, gc=False, kw_only=True):
    """Adds a salesperson of the workspace, or brings back a retired one. From the first one on, commands assign deals
    and tasks only to owners who were added and are not retired."""

    key: Annotated[str, About(max_length=200, description="What deals, tasks and rules name as owner. Never changes.")]
    name: Annotated[str, About(max_length=200, description="Display name; empty: the key.")] = ""
    email: Annotated[str, About(max_length=254, description="E-mail address.")] = ""
    phone: Annotated[str, About(max_length=100, description="Phone number, in any format.")] = ""
    extension: Annotated[str, About(max_length=100, description="Internal number in the telephone system.")] = ""


@command(row="owner")
def owner_add(command: OwnerAdd, case: Case) -> Iterator[Event]:
    workspace, key = case.fact.meta.workspace, require_text(command.key, "key")
    id = owner_id(workspace, key)
    before = case.state.get(Owner, id)
    if before and before.active:
        why = f"There is an owner {key!r} already: {before.name}. Nothing was changed: `ownerChange` changes one."
        raise Rejected("key", Code.TAKEN, why)
    email, phone = reach(case, command.email, command.phone)
    name = command.name.strip() or (before.name if before else key)
    extension, why = command.extension.strip(), "came back" if before else "added"
    yield OwnerChanged(case.meta(workspace), id, key, name, email, phone, extension, True, why)
