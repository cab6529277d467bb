"""`streams.replay.replay`: history folded into a DataFrame, from Python. docs/replay.md shows it at work."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from streams.replay import call
from streams.replay.asked import Moment, What

if TYPE_CHECKING:
    import polars
    import pyarrow


class Asked(TypedDict, total=False):
    """What `replay` may be asked besides; its docstring says what each is."""

    name: str
    since: Moment | None
    until: Moment | None
    clock: str
    workspace: str | None
    types: Sequence[str]
    archive: str | Path | None
    tail: bool
    kafka: str | Callable[[], str] | None
    memory: int
    skip_unknown: bool


@overload
def replay(what: What, *, table: Literal["polars"] = "polars", **asked: Unpack[Asked]) -> "polars.DataFrame": ...


@overload
def replay(what: What, *, table: Literal["arrow"], **asked: Unpack[Asked]) -> "pyarrow.Table": ...


def replay(what: What, *, table: str = "polars", **asked: Unpack[Asked]) -> Any:
    """Folds the journal and gives the rows as a polars DataFrame, or as a pyarrow Table with table="arrow".

    what: a projection, or the path of a file that declares one; `name` says which if it declares several. A file is
        folded by a process a core, a projection in this one.
    since, until: moments ("2026-01-31" is the whole day, UTC; a time; "7d" ago; a datetime) by `clock`: "occurred",
        when it happened, or "recorded", when it came to be known. Both ends count.
    workspace: its id; all workspaces without it. types: only these of the events that the fold takes, by name.
    archive: the folder that `crm archive` made, instead of Kafka; with tail=True Kafka gives what came after it.
    kafka: a bootstrap address, or what gives it once it is needed; without it KAFKA_BOOTSTRAP.
    memory: bytes of rows that later events may change; the rest waits on the disk. 1 GB without it.
    skip_unknown: pass over events that a newer release wrote; else they are an error.

    Raises crm.errors.CrmError or ValueError with what is wrong, also with the event and the line where a fold raises.
    """
    return call.table(what, table, **asked)
