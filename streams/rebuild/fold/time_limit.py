"""Limits how long a fold may run without returning."""

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

PATIENCE = 20.0  # seconds of this process's processor time, whatever else the machine does


class FoldTimeout(TimeoutError):
    """A fold did not terminate in time."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        super().__init__(f"it ran for {seconds:.0f} s and did not return")


@contextmanager
def work_limit(seconds: float = PATIENCE) -> Iterator[None]:
    """Raises FoldTimeout inside the block when this process has worked for so long. Waiting does not count."""
    if threading.current_thread() is not threading.main_thread():
        with timer_limit(seconds):
            yield
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise FoldTimeout(seconds)

    before: Any = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def timer_limit(seconds: float) -> Iterator[None]:
    """Raises FoldTimeout in this thread by the interpreter, as only the main thread gets signals."""
    thread, lock, ended = ctypes.c_ulong(threading.get_ident()), threading.Lock(), threading.Event()
    limit = time.process_time() + seconds

    def watch() -> None:
        while not ended.wait(max(0.01, limit - time.process_time())):
            with lock:
                if not ended.is_set() and time.process_time() >= limit:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(FoldTimeout))
                    return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            ended.set()


def line_of(error: BaseException, file: str) -> int | None:
    """Returns the last line of this file in the traceback of the error, or None."""
    found = None
    trace = error.__traceback__ or sys.exc_info()[2]
    while trace:
        if trace.tb_frame.f_code.co_filename == file:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
