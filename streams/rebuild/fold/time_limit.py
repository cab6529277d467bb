"""A limit on how long a fold may work without giving anything back."""

import ctypes
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

PATIENCE = 20.0  # seconds of this process's own work, whatever else the machine does


class Endless(TimeoutError):
    """A fold did not come to an end."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        super().__init__(f"it has worked for {seconds:.0f} s and did not come to an end")


@contextmanager
def limited(seconds: float = PATIENCE) -> Iterator[None]:
    """Raises Endless inside the block after so much work; outside a process's main thread after so much time."""
    if threading.current_thread() is not threading.main_thread():
        with limited_here(seconds):
            yield
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise Endless(seconds)

    before: Any = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def limited_here(seconds: float) -> Iterator[None]:
    """By the interpreter, as signals reach the main thread alone."""
    thread, lock, running = ctypes.c_ulong(threading.get_ident()), threading.Lock(), [True]

    def stop() -> None:
        with lock:
            if running:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Endless))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            running.clear()
        timer.cancel()


def line_of(error: BaseException, file: str) -> int | None:
    """The last line of this file that the error came through."""
    found = None
    trace = error.__traceback__ or sys.exc_info()[2]
    while trace:
        if trace.tb_frame.f_code.co_filename == file:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
