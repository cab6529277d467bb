"""`streams.replay.replay`: folds history into a table, from Python. docs/replay.md has examples."""

from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from streams.replay import runner
from streams.replay.options import ProjectionSource, ReplayOptions

if TYPE_CHECKING:
    import polars
    import pyarrow


@overload
def replay(
    what: ProjectionSource, *, table: Literal["polars"] = "polars", **options: Unpack[ReplayOptions]
) -> "polars.DataFrame": ...


@overload
def replay(what: ProjectionSource, *, table: Literal["arrow"], **options: Unpack[ReplayOptions]) -> "pyarrow.Table": ...


def replay(what: ProjectionSource, *, table: str = "polars", **options: Unpack[ReplayOptions]) -> Any:
    """Folds the journal and returns the rows as a polars DataFrame, or as a pyarrow Table with table="arrow".

    what: a projection, or the path of a file that declares one; `name` selects one of several. A file is folded by one
        process a core, a projection in this process.
    since, until: moments ("2026-01-31" is the whole day in UTC; a time; "7d" ago; a datetime) by `clock`: "occurred",
        when it happened, or "recorded", when it became known. Both ends are included.
    workspace: its id; default: all workspaces. types: names of the events to fold; default: all that the fold handles.
    archive: a folder made by `crm archive`, read instead of Kafka; with tail=True, Kafka is read after its end.
    kafka: the bootstrap address, or a function that returns it; default: KAFKA_BOOTSTRAP.
    memory: bytes of rows that later events may change; the rest waits on disk. Default: 1 GB.
    skip_unknown: skip events written by a newer release; otherwise they are an error.

    Raises crm.errors.CrmError or ValueError with a sentence; if a fold raises, with the event and the line.
    """
    return runner.to_table(what, table, **options)
