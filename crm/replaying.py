"""`crm.replay`: history folded into a table, from Python. docs/replay.md shows it at work."""

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from crm.projection import Projection

if TYPE_CHECKING:
    import polars
    import pyarrow

What = str | Path | Projection[Any]
Moment = str | datetime


@overload
def replay(
    what: What,
    *,
    name: str = "",
    since: Moment | None = None,
    until: Moment | None = None,
    clock: str = "occurred",
    workspace: str | None = None,
    types: Sequence[str] = (),
    archive: str | Path | None = None,
    tail: bool = False,
    kafka: str | None = None,
    skip_unknown: bool = False,
    table: Literal["polars"] = "polars",
) -> "polars.DataFrame": ...


@overload
def replay(
    what: What,
    *,
    name: str = "",
    since: Moment | None = None,
    until: Moment | None = None,
    clock: str = "occurred",
    workspace: str | None = None,
    types: Sequence[str] = (),
    archive: str | Path | None = None,
    tail: bool = False,
    kafka: str | None = None,
    skip_unknown: bool = False,
    table: Literal["arrow"],
) -> "pyarrow.Table": ...


def replay(what: What, *, table: str = "polars", **asked: Any) -> Any:
    """Folds the journal and gives the rows as a polars DataFrame, or as a pyarrow Table with table="arrow".

    what: a projection, or the path of a file that declares one; `name` says which if it declares several. A file is
        folded by a process a core, a projection in this one.
    since, until: moments ("2026-01-31" is the whole day, UTC; a time; a datetime) by `clock`: "occurred", when it
        happened, or "recorded", when it came to be known. Both ends count.
    workspace: its id; all workspaces without it. types: only these of the events that the fold takes, by name.
    archive: the folder that `crm archive` made, instead of Kafka; with tail=True Kafka gives what came after it.
    kafka: a bootstrap address; without it KAFKA_BOOTSTRAP, else the stack that runs here.
    skip_unknown: pass over events that a newer release wrote; else they are an error.

    Raises crm.errors.CrmError or ValueError with what is wrong, also with the event and the line where a fold raises.
    """
    return engine().table(what, table, **asked)


def engine() -> Any:
    """streams.replay.call. It is a room above this one: named, not imported, so that imports go on pointing one way."""
    return import_module("streams.replay.call")


def targets() -> Any:
    """streams.replay.targets, likewise."""
    return import_module("streams.replay.targets")
