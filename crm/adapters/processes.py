"""A child process of an event loop: ended and released before the loop may close, also when its owner is cancelled."""

import asyncio
from asyncio.subprocess import PIPE, Process, SubprocessStreamProtocol
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from os import PathLike
from typing import Any

LINE = 1 << 16  # bytes of one line that is read from it
SECONDS = 30.0  # until the system has taken away a process that was killed


class ChildStreams(SubprocessStreamProtocol):
    """asyncio's, which also says when all is over: the process has ended and each of its pipes is closed.

    `Process.wait` and `communicate` return sooner, so a loop that is closed then leaves a transport behind. Python
    complains of it whenever that is collected, in the middle of something else.
    """

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop, pipes: Sequence[int | None]) -> None:
        super().__init__(limit, loop)
        self.left: set[int | str] = {fd for fd, pipe in enumerate(pipes) if pipe == PIPE} | {"process"}
        self.over = asyncio.Event()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        super().pipe_connection_lost(fd, exc)
        self.lost(fd)

    def process_exited(self) -> None:
        super().process_exited()
        self.lost("process")

    def lost(self, part: int | str) -> None:
        self.left.discard(part)
        if not self.left:
            self.over.set()


@asynccontextmanager
async def child(
    *command: str | PathLike[str],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    limit: int = LINE,
    env: Mapping[str, str] | None = None,
    start_new_session: bool = False,
) -> AsyncIterator[Process]:
    """As asyncio.create_subprocess_exec starts it. What still runs at the end is killed."""
    loop = asyncio.get_running_loop()
    streams = ChildStreams(limit, loop, (stdin, stdout, stderr))
    options: dict[str, Any] = {"env": env, "start_new_session": start_new_session}
    start = loop.subprocess_exec(lambda: streams, *command, stdin=stdin, stdout=stdout, stderr=stderr, **options)
    starting = asyncio.ensure_future(start)
    try:
        transport, _ = await asyncio.shield(starting)
        yield Process(transport, streams, loop)
    finally:
        await run_to_completion(ended(starting, streams))


async def ended(starting: asyncio.Future[tuple[asyncio.SubprocessTransport, Any]], streams: ChildStreams) -> None:
    await asyncio.wait([starting])
    if starting.exception():  # there is no such program: the caller got the error
        return
    transport, _ = starting.result()
    transport.close()  # its pipes, and kills it if it still runs
    async with asyncio.timeout(SECONDS):
        await streams.over.wait()


async def run_to_completion(work: Coroutine[Any, Any, None]) -> None:
    """Done also when this is cancelled, however often; then says so."""
    task = asyncio.ensure_future(work)
    cut: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cut = error
    task.result()
    if cut:
        raise cut
