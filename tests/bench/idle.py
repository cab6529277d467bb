"""`crm bench idle`: the processor time that each process of the running stack takes while nothing happens."""

import time
from pathlib import Path
from typing import Any

import psutil

from services.stack import state
from tests.bench.machine import machine

Times = dict[str, float]  # seconds by part


def processor_times(folder: Path) -> Times:
    """Returns the seconds so far of each part of the stack, with its children that live and those that have ended."""
    stack = state.running(folder)
    found = {"supervisor": own_time(psutil.Process(stack.pid))}  # its children are the parts
    for part in stack.parts:
        process = psutil.Process(part.pid)
        ended = process.cpu_times()
        family = [process, *process.children(recursive=True)]
        found[part.name] = ended.children_user + ended.children_system + sum(map(own_time, family))
    return found


def own_time(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it has just ended: its parent counts it from now on
        return 0.0
    return float(times.user + times.system)


def idle(folder: Path, seconds: float) -> dict[str, Any]:
    """Returns milliseconds of processor time a second by part, over so many seconds."""
    before, began = processor_times(folder), time.monotonic()
    time.sleep(seconds)
    after, passed = processor_times(folder), time.monotonic() - began
    taken = {name: (after[name] - before.get(name, 0.0)) * 1000 / passed for name in after}
    by_part = {name: round(ms, 1) for name, ms in sorted(taken.items(), key=lambda pair: -pair[1])}
    return {
        "benchmark": "idle",
        "machine": machine(),
        "settings": {"seconds": seconds},
        "ms_a_second": by_part,
        "total_ms_a_second": round(sum(taken.values()), 1),
    }
