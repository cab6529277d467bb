"""What a person asks for: a command, what is said of its input, and how it is refused."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar, get_type_hints

from msgspec import Meta, Struct
from msgspec.structs import replace

from crm.envelope import Fact
from crm.errors import CrmError
from crm.scalars import Id, Micros

About = Meta  # what is said of a field of a command
SECRET = {"secret": True}  # goes into no event and no digest
HIDDEN = {"hidden": True}  # filled in by the API, not by the caller


class Command(Fact, frozen=True, gc=False, kw_only=True):
    """What somebody asks for. Its fields, with what is said about them, are the input of a GraphQL mutation."""

    occurred_at: Annotated[
        Micros | None,
        Meta(description="When it happened, for imports: needs the scope `import`; not in the future. Default: now."),
    ] = None


C = TypeVar("C", bound=Command)


class Code(StrEnum):
    """Why a command was refused, for programs."""

    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"
    REQUIRED = "REQUIRED"
    TAKEN = "TAKEN"
    UNCHANGED = "UNCHANGED"
    MERGED = "MERGED"
    IN_USE = "IN_USE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    VERSION_CONFLICT = "VERSION_CONFLICT"


class Rejected(CrmError):
    """A command cannot be carried out as it is: nothing is written, and the caller learns which field to correct."""

    def __init__(self, field: str, code: Code, message: str) -> None:
        super().__init__(message)
        self.field, self.code, self.message = field, code, message


def imported(command: C) -> C:
    """Returns a command that happened when its caller says. Raises Rejected for a moment that cannot be."""
    at = command.occurred_at
    assert at is not None
    if at > command.meta.recorded_at:
        why = "This moment is in the future. Nothing was changed. Leave `occurredAt` out for what happens now."
        raise Rejected("occurredAt", Code.INVALID, why)
    return replace(command, meta=replace(command.meta, occurred_at=at))


Short = Annotated[str, About(max_length=200)]
Line = Annotated[str, About(max_length=500)]
SECRET_ABOUT = "What the vendor signs with or sends; Potik makes one up for a vendor that does neither."
VendorSecret = Annotated[str, About(max_length=10_000, description=SECRET_ABOUT, extra=SECRET)]


class Money(Struct, frozen=True, gc=False):
    """A sum of money, exact."""

    minor: Annotated[int, About(ge=0, description="In the currency's smallest unit, such as kopecks.")]
    currency: Annotated[str, About(max_length=3, description="ISO 4217; empty: as it is, or the workspace's.")] = ""


Fields = Annotated[dict[str, str], About(description="Custom fields; a value of null takes a field away.")]
ExpectedVersion = Annotated[
    int | None, About(description="The version that you have read: another one is refused with VERSION_CONFLICT.")
]

Decide = Callable[[Any, Any], Iterable[Any]]


@dataclass(frozen=True)
class CommandSpec:
    """A command with its pure decision. `row`: the projection whose row is the answer; `key` names that row: a field
    of the command, or else of its events. `scope`: what a token must be good for. `declares`: intake and the API must
    learn of it, from crm.connections."""

    name: str
    command: type[Command]
    decide: Decide
    row: str
    key: str
    scope: str
    declares: bool = False

    def key_of(self, command: Command, events: Iterable[Any]) -> Id:
        found = [getattr(said, self.key, None) for said in (command, *events)]
        key: Id = next(value for value in found if value)
        return key


def command(
    *, row: str, key: str = "", scope: str = "write", declares: bool = False
) -> Callable[[Decide], CommandSpec]:
    """Declares a decision `(command, case) -> events` as what is done on a command; its name is the mutation's."""

    def declare(decide: Decide) -> CommandSpec:
        kind = get_type_hints(decide)["command"]
        return CommandSpec(decide.__name__, kind, decide, row, key or f"{row}_id", scope, declares)

    return declare
