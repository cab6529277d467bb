"""`python -m tests.chaos.skewed_clock MODULE` runs a role whose clock is wrong by the seconds in a file.

The file is named in CRM_CLOCK_FILE and holds seconds (86400, -86400, 0; no file: none); it is read whenever it changes.
Shifted are time.time and time.time_ns, by which the product and its libraries tell the time, and the stamps that
aiokafka's C code gives to records; only those of log lines stay right. Monotonic clocks go on, as they do on a machine
whose date is set.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POLL_INTERVAL = 0.05  # seconds between two looks at the file


class Skew:
    """How wrong the clock is, in seconds."""

    def __init__(self, file: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.file, self.monotonic = file, monotonic
        self.looked, self.seconds = float("-inf"), 0

    def __call__(self) -> int:
        if (at := self.monotonic()) - self.looked >= POLL_INTERVAL:
            self.looked = at
            try:
                self.seconds = int(self.file.read_text())
            except FileNotFoundError:
                self.seconds = 0
            except ValueError:
                pass  # it is just being written: as before
        return self.seconds


def shift(skew: Callable[[], int]) -> None:
    """Shifts the clock of this process. Call it before any module imports `time.time` by name."""
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + skew()
    time.time_ns = lambda: nanoseconds() + skew() * 1_000_000_000


def stamp() -> None:
    """Makes aiokafka take record timestamps from Python's shifted clock."""
    from aiokafka.producer.message_accumulator import BatchBuilder

    builder: Any = BatchBuilder
    append = builder.append

    def stamped(self: Any, *, timestamp: int | None = None, **given: Any) -> Any:
        return append(self, timestamp=int(time.time() * 1000) if timestamp is None else timestamp, **given)

    builder.append = stamped


def main(module: str) -> None:
    shift(Skew(Path(os.environ["CRM_CLOCK_FILE"])))
    stamp()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
