"""Every command: one a file, found by looking. What is decided on one is events, or a refusal and nothing at all."""

from hashlib import sha256
from importlib import import_module
from pkgutil import iter_modules

import msgspec
from msgspec.structs import fields, replace

from crm.commands import HIDDEN, SECRET, Code, Command, CommandSpec, Rejected
from crm.decisions.case import Case
from crm.decisions.stage_rules import consequences
from crm.envelope import Event, named_id
from crm.events import CommandAccepted
from crm.state import Workspace, fold, fold_all
from crm.state.entities import ONLY


def found() -> dict[str, CommandSpec]:
    """All commands of this folder by name, in alphabetical order."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    every = (d for module in modules for d in vars(module).values() if isinstance(d, CommandSpec))
    return dict(sorted((d.name, d) for d in every))


COMMANDS = found()


def decided(declared: CommandSpec, case: Case, key: str = "") -> list[Event]:
    """The events of a command, each folded into the state: first that it was accepted, then what it led to.

    Raises Rejected when a person has to mend something; the state is of no use then.
    """
    command = case.fact
    assert isinstance(command, Command)
    if case.state.get(Workspace, ONLY) is None:
        raise Rejected("", Code.NOT_FOUND, "There is no such workspace. Nothing was changed.")
    events = fold_all(case.state, declared.decide(command, case))
    events += fold_all(case.state, consequences(case, events))
    if not events:
        raise Rejected("", Code.UNCHANGED, "It is so already. Nothing was changed.")
    subject = declared.key_of(command, events)
    stream = next((e.meta.stream for e in events if getattr(e, declared.key, None) == subject), events[0].meta.stream)
    accepted = CommandAccepted(
        meta=replace(case.meta(stream), id=named_id(command.meta.id, "command")),
        command=declared.name,
        digest=digest(declared, command),
        input=written(command),
        row=declared.row,
        subject=subject,
        key=key,
    )
    fold(case.state, accepted)
    return [accepted, *events]


def digest(declared: CommandSpec, command: Command) -> str:
    """Of all that was asked, but for secrets: the journal shall not help to guess them."""
    return sha256(f"{declared.name} {written(command)}".encode()).hexdigest()


def written(command: Command) -> str:
    """What the caller said, as JSON text without secrets; what was not given is left out."""
    said = {
        field.encode_name: value
        for field in fields(command)
        if field.name != "meta" and not marked(field.type, SECRET, HIDDEN)
        for value in [getattr(command, field.name)]
        if value != (field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory())
    }
    return msgspec.json.encode(said).decode()


def marked(hint: object, *marks: dict[str, bool]) -> bool:
    return any(getattr(about, "extra", None) in marks for about in getattr(hint, "__metadata__", ()))
