"""Replays history through an analyst's own projection: from Kafka or an archive to a file, a database or a table.

`runner.py` is what `replay` and `crm replay` run. It checks the request (`options.py`), finds the end of the history
(`planning.py`), has streams.rebuild fold partitions in worker processes (`worker.py`) into Arrow files next to the
target (`parts.py`), and writes the finished rows to the target (`targets.py`), which gets its name last.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.replay.frame import replay

__all__ = ["replay"]


def __getattr__(name: str) -> Any:
    """Imports `replay` on first use, so that worker processes stay light."""
    if name == "replay":
        from streams.replay.frame import replay

        return replay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
