"""Supervises one process of the stack: starts it, checks it, and restarts it when it dies."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from typing import Protocol

from services.stack.process import Process, ended, stop
from services.stack.state import PartState, born

FIRST_PAUSE, LAST_PAUSE = 0.2, 3.0  # seconds before a dead part is restarted; doubles each time
STEADY = 20.0  # seconds of being ready after which the pause is short again
POLL_STARTING = 0.1  # seconds between looks at a part that is not ready; `look_every` of one that is
UNRESPONSIVE = 60.0  # seconds without any answer after which a role is killed and restarted


class Part(Protocol):
    """A server, or one replica of a role."""

    name: str
    stop_by: signal.Signals
    patience: float
    look_every: float
    process: Process | None

    def start(self) -> Process: ...
    async def ready(self) -> str | None: ...


class ManagedProcess:
    """Runs one part until `stop`: checks its readiness, forwards its output, restarts it when it dies."""

    def __init__(
        self, part: Part, say: Callable[[str, str], None], changed: Callable[[], None], steady: float = STEADY
    ) -> None:
        self.part, self.say, self.changed, self.steady = part, say, changed, steady
        self.state, self.missing, self.restarts, self.born = "starting", "", 0, 0.0
        self.is_ready = asyncio.Event()
        self.wanted = asyncio.Event()  # while cleared, a part that has ended is not restarted
        self.wanted.set()
        self.lines: asyncio.Task[None] | None = None
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.start()
        self.task = asyncio.create_task(self.supervise())

    def start(self) -> None:
        process = self.part.start()
        self.born = born(process.pid)
        if process.stdout:
            self.lines = asyncio.create_task(self.forward_output(process))
        self.set_state("starting")

    async def supervise(self) -> None:
        pause = FIRST_PAUSE
        while process := self.part.process:
            steady = await self.watch(process)
            pause = FIRST_PAUSE if steady else pause
            self.restarts += 1
            self.set_state("waiting", f"ended with code {process.returncode}")
            self.say(self.part.name, f"ended with code {process.returncode}: restarting in {pause:.1f} s")
            await asyncio.sleep(pause)
            await self.wanted.wait()
            pause = min(pause * 2, LAST_PAUSE)
            self.start()

    async def watch(self, process: Process) -> bool:
        """Waits until the process ends. Returns True when it had been ready for `steady` seconds."""
        began, ready_since = time.monotonic(), None
        while process.poll() is None:
            missing = await self.part.ready()
            if missing is None:
                self.set_state("ready")
                if not ready_since:
                    ready_since = time.monotonic()
                    self.say(self.part.name, f"ready after {ready_since - began:.1f} s")
            elif process.poll() is None:
                self.set_state("unready" if ready_since else "starting", missing)
                if time.monotonic() - getattr(self.part, "answered_at", time.monotonic()) > UNRESPONSIVE:
                    self.say(self.part.name, f"has not answered for {UNRESPONSIVE:.0f} s: killing it")
                    process.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended(process), self.part.look_every if missing is None else POLL_STARTING)
        return ready_since is not None and time.monotonic() - ready_since > self.steady

    def set_state(self, state: str, missing: str = "") -> None:
        if (state, missing) != (self.state, self.missing) or state == "starting":
            self.state, self.missing = state, missing
            (self.is_ready.set if state == "ready" else self.is_ready.clear)()
            self.changed()

    async def forward_output(self, process: Process) -> None:
        reader = asyncio.StreamReader(limit=1 << 20)
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        with contextlib.closing(pipe):
            while True:
                try:
                    line = await reader.readline()
                except ValueError:  # longer than the limit: the reader has dropped it
                    continue
                if not line:
                    return
                self.say(self.part.name, line.decode(errors="replace").rstrip())

    async def stop(self) -> None:
        if self.task:
            self.task.cancel()
        if process := self.part.process:
            if not await stop(process, self.part.stop_by, self.part.patience):
                self.say(self.part.name, f"did not stop within {self.part.patience:.0f} s and was killed")
            self.set_state("stopped")
        if self.lines:
            await asyncio.wait([self.lines], timeout=1)

    @property
    def hint(self) -> str:
        """Where to look next: servers write a log file of their own."""
        log = getattr(self.part, "log", None)
        return f" (see {log})" if log else ""

    def as_state(self) -> PartState:
        pid = self.part.process.pid if self.part.process and self.state not in ("waiting", "stopped") else 0
        url = getattr(self.part, "url", "")
        return PartState(self.part.name, pid, self.born, self.state, self.missing, self.restarts, url)
