"""Processor time of a benchmark's processes. Busy neighbours change it little, unlike everything that is timed."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import psutil

PARTS = {"java": "kafka", "postgres": "postgres", "_sink": "receivers"}  # by a part of the command


def processor_us() -> Counter[str]:
    """Returns what each part has taken so far, microseconds: the servers, the roles, the receivers, the benchmark."""
    found: Counter[str] = Counter()
    for process in [(own := psutil.Process()), *own.children(recursive=True)]:
        with suppress(psutil.Error):  # it has just ended
            command, times = " ".join(process.cmdline()), process.cpu_times()
            words = command.split()
            role = words[-1].rpartition(".")[2] if "-m" in words else command
            name = next((name for part, name in PARTS.items() if part in command), role)
            ended = times.children_user + times.children_system
            found["benchmark" if process == own else name] += round((times.user + times.system + ended) * 1e6)
    return found


def per_one(before: Mapping[str, int], count: int) -> dict[str, int]:
    """Returns what each part has taken since then for each of so many, microseconds, and all together."""
    taken = {name: round((now - before.get(name, 0)) / count) for name, now in processor_us().items()}
    return {**dict(sorted(taken.items())), "all": sum(taken.values())}
