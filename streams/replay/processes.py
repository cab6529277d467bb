"""Processes that fold a replay's partitions, each one after the other; the first that fails ends all."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager

import msgspec

from streams.rebuild.building import Built, WorkerFailed, take
from streams.replay.order import Order

Advance = Callable[[int], None]


def build(order: Order, workers: int, advance: Advance) -> Built:
    """Raises WorkerFailed with what the first process that failed said. Processes, as a thread waits for each."""
    waiting = [partition for partition, end in sorted(order.until.items(), reverse=True) if end]
    built = Built(order.until)
    running: list[subprocess.Popen[bytes]] = []
    with ThreadPoolExecutor(max(1, min(workers, len(waiting)))) as threads, ended(running, waiting):
        for _ in range(min(workers, len(waiting))):
            running.append(started())
        works = [threads.submit(work, process, order, waiting, built, advance) for process in running]
        done, _ = wait(works, return_when=FIRST_EXCEPTION)
        for each in done:
            each.result()
    return built


@contextmanager
def ended(running: list[subprocess.Popen[bytes]], waiting: list[int]) -> Iterator[None]:
    """No process is left, however it ends: also by Ctrl-C."""
    try:
        yield
    finally:
        waiting.clear()
        for process in running:
            process.kill()


def started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "streams.replay.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        start_new_session=True,  # Ctrl-C reaches the parent alone
    )


def work(process: subprocess.Popen[bytes], order: Order, waiting: list[int], built: Built, advance: Advance) -> None:
    """Gives one process partition after partition."""
    assert process.stdin and process.stdout  # pipes were asked for
    with process:
        try:
            tell(process, order)
            while waiting:
                tell(process, [waiting.pop()])
                for line in process.stdout:
                    said = msgspec.json.decode(line)
                    if "read" in said:
                        advance(said["read"])
                    elif "failed" in said:
                        raise WorkerFailed(said["failed"], said.get("everything", False))
                    else:
                        take(built, said["done"])
                        break
                else:
                    raise WorkerFailed(
                        "A process of the replay ended in the middle: its lines above may say why. "
                        "Nothing was written. Run it again."
                    )
        finally:
            process.kill()


def tell(process: subprocess.Popen[bytes], said: object) -> None:
    """A process that has died is told nothing: what it said last, or its end, is read next."""
    assert process.stdin  # a pipe was asked for
    try:
        process.stdin.write(msgspec.json.encode(said) + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
