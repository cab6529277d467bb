"""The mutation `batch`: up to 500 commands in one request, each with a key of its own and a result of its own."""

from enum import StrEnum
from types import GenericAlias
from typing import Any

import strawberry
import structlog

from api.commands.answers import Conflict, UserError, check_key, position_text, user_error
from api.commands.inputs import input_type
from api.commands.mutations import SECRETS, execute
from api.context import Info
from api.errors import ApiError, BadInput, Unavailable
from api.schema.fields import Argument, field
from api.schema.names import camel
from crm.commands import CommandSpec, Rejected
from crm.decisions.commands import COMMANDS
from crm.engine.run_command import KeyReused

MOST = 500  # commands; each is a transaction of a few milliseconds
BATCHED = {name: declared for name, declared in COMMANDS.items() if declared.row not in SECRETS}
ABOUT = (
    "Carries out up to 500 commands in their order, each in a transaction of its own: what one refuses, the others do. "
    "Repeated with the same keys, each takes effect once."
)
log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of one command of a batch."""

    DONE = "DONE"
    REPEATED = "REPEATED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    NOT_RUN = "NOT_RUN"


strawberry.enum(Outcome, name="BatchOutcome", description="What became of one command of a batch.")


def batch_input() -> Any:
    """Returns the input type of one command of a batch: its key, and one field for each command."""
    body: dict[str, Any] = {"__module__": __name__, "__annotations__": {"key": str}}
    body["key"] = strawberry.field(description="Its Idempotency-Key: 1 to 200 printable characters.")
    for name, declared in BATCHED.items():
        body["__annotations__"][name] = input_type(declared.command) | None
        about = f"Input of `{camel(name)}`."
        body[name] = strawberry.field(default=strawberry.UNSET, description=about)
    about = "One command of a batch: its key, and exactly one of the other fields."
    return strawberry.input(type("BatchCommandInput", (), body), name="BatchCommandInput", description=about)


@strawberry.type(description="Why a command of a batch failed, as `extensions.code` and `message` of an error say it.")
class BatchError:
    code: str = strawberry.field(description="The error, for programs: IDEMPOTENCY_KEY_REUSED, FORBIDDEN, …")
    message: str = strawberry.field(description="What happened, what was kept and what to do.")


@strawberry.type(description="What became of one command of a batch.")
class BatchResult:
    key: str = strawberry.field(description="Its key, as it was sent.")
    outcome: Outcome = strawberry.field(description="What became of it.")
    id: strawberry.ID | None = strawberry.field(description="Id of the changed row; null when nothing was changed.")
    position: str | None = strawberry.field(description="Position of the change in the journal.")
    user_errors: list[UserError] = strawberry.field(description="Mistakes that the user can correct.")
    error: BatchError | None = strawberry.field(description="Why it failed; null unless it did.")


@strawberry.type(description="Result of `batch`.")
class BatchPayload:
    results: list[BatchResult] = strawberry.field(description="One for each command, in the same order.")
    position: str | None = strawberry.field(
        description="Position behind all changes. Send it with a query to read your own writes."
    )


async def body(_: Any, info: Info, commands: list[Any]) -> dict[str, Any]:
    if info.context.idempotency_key:
        raise BadInput(
            "A batch has a key for each command, so it takes no Idempotency-Key header. Nothing was changed."
        )
    todo = checked(commands)
    results: list[dict[str, Any]] = []
    reached: dict[int, int] = {}
    stopped = False
    for key, declared, given in todo:
        result = not_run(key) if stopped else await one(info, key, declared, given, reached)
        stopped = stopped or result.pop("stop", False)
        results.append(result)
    return {"results": results, "position": position_text(reached) or None}


def checked(commands: list[Any]) -> list[tuple[str, CommandSpec, Any]]:
    """Returns each command with its key. Raises BadInput, before any is run."""
    if not 1 <= len(commands) <= MOST:
        raise BadInput(f"A batch has 1 to {MOST} commands, and this one has {len(commands)}. Nothing was changed.")
    return [(check_key(one.key, f"Command {n}: "), *only_command(n, one)) for n, one in enumerate(commands, 1)]


def only_command(number: int, one: Any) -> tuple[CommandSpec, Any]:
    given = {name: value for name in BATCHED if (value := getattr(one, name)) not in (strawberry.UNSET, None)}
    if len(given) != 1:
        found = " and ".join(map(camel, given)) or "none"
        raise BadInput(f"Command {number} has {found} besides its key; it must have exactly one. Nothing was changed.")
    ((name, value),) = given.items()
    return COMMANDS[name], value


async def one(info: Info, key: str, declared: CommandSpec, given: Any, reached: dict[int, int]) -> dict[str, Any]:
    """Carries out one command. With `stop` in the result the rest must not be run."""
    try:
        done = (await execute(info.context, declared, given, key)).done
    except Rejected as refusal:
        return result_of(key, Outcome.REFUSED, user_errors=[user_error(refusal)])
    except KeyReused as error:
        return result_of(key, Outcome.FAILED, error=Conflict(str(error)))
    except ApiError as error:
        return result_of(key, Outcome.FAILED, error=error) | {"stop": isinstance(error, Unavailable)}
    except Exception:
        log.exception("a command of a batch failed", command=declared.name)
        message = "Internal error. It is in the server's log. Whether this command took effect is unknown."
        return result_of(key, Outcome.FAILED, error=Unavailable(message)) | {"stop": True}
    for partition, next in done.position.items():
        reached[partition] = max(next, reached.get(partition, 0))
    outcome = Outcome.DONE if done.events else Outcome.REPEATED
    return result_of(key, outcome, id=done.subject, position=position_text(done.position) or None)


def not_run(key: str) -> dict[str, Any]:
    why = "An earlier command of this batch failed, so this one was not tried. Send the batch again with the same keys."
    return result_of(key, Outcome.NOT_RUN, error=Unavailable(why))


def result_of(key: str, outcome: Outcome, *, error: ApiError | None = None, **more: Any) -> dict[str, Any]:
    shown = {"code": error.code, "message": error.message} if error else None
    return {"key": key, "outcome": outcome, "id": None, "position": None, "user_errors": [], "error": shown, **more}


BATCH = field(
    BatchPayload,
    {"commands": Argument(GenericAlias(list, batch_input()), about="The commands, in the order of their execution.")},
    body,
    ABOUT,
)
