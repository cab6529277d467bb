"""ownerChange: another name or another number of a salesperson."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text, require_version
from crm.decisions.owners import reach, require_owner
from crm.envelope import Event
from crm.events import OwnerChanged


class OwnerChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes a salesperson. What is not given stays as it is. Deals keep the key, so they show the new name."""

    key: Annotated[str, About(max_length=200, description="Which owner.")]
    expected_version: ExpectedVersion = None
    name: Annotated[Short | None, About(description="Display name.")] = None
    email: Annotated[Short | None, About(description="E-mail address; empty: none.")] = None
    phone: Annotated[Short | None, About(description="Phone number, in any format; empty: none.")] = None
    extension: Annotated[Short | None, About(description="Internal number; empty: none.")] = None


@command(row="owner")
def owner_change(command: OwnerChange, case: Case) -> Iterator[Event]:
    id, owner = require_owner(case, command.key)
    require_version(owner, command.expected_version)
    email, phone = reach(case, command.email or "", command.phone or "")
    event = OwnerChanged(
        meta=case.meta(case.fact.meta.workspace),
        owner_id=id,
        key=owner.key,
        name=owner.name if command.name is None else require_text(command.name, "name"),
        email=owner.email if command.email is None else email,
        phone=owner.phone if command.phone is None else phone,
        extension=owner.extension if command.extension is None else command.extension.strip(),
        active=owner.active,
        why="changed",
    )
    said = event.name, event.email, event.phone, event.extension
    if said != (owner.name, owner.email, owner.phone, owner.extension):
        yield event
