"""A child process is released before its loop is closed, whatever is cancelled meanwhile and however often."""

import asyncio
import os
import subprocess
import sys

import pytest

from crm.adapters.processes import child
from tests.support.tools import ROOT

PIPE = asyncio.subprocess.PIPE


def left(start: str, cuts: int) -> str:
    """What Python says of processes and pipes that are left when the loop is closed."""
    command = [sys.executable, "-W", "always", "-m", "tests.support.cancelled_children", start, str(cuts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize("cuts", [1, 2, 3])
def test_one_that_is_cut_off_leaves_nothing(cuts: int) -> None:
    """The bug: of two workers of a replay that failed at the same time the second was cancelled while it let go of its
    process. Python complained later, in the middle of another test: `Event loop is closed`."""
    assert left("child", cuts) == ""


def test_one_that_is_not_let_go_to_the_end_is_found() -> None:
    """Which of its complaints Python makes depends on who is first: the process or the loop. One it always makes."""
    said = [left("plain", 2) for _ in range(3)]
    assert any("is closed" in one or "ResourceWarning" in one for one in said)


def test_the_caller_sees_the_cancellation_and_the_process_is_gone() -> None:
    async def run() -> int:
        begun, pids = asyncio.Event(), []

        async def used() -> None:
            async with child("cat", stdin=PIPE) as process:
                pids.append(process.pid)
                begun.set()
                await process.wait()

        using = asyncio.ensure_future(used())
        await begun.wait()
        using.cancel()
        with pytest.raises(asyncio.CancelledError):
            await using
        return pids[0]

    with pytest.raises(ProcessLookupError):
        os.kill(asyncio.run(run()), 0)


def test_a_process_that_ends_by_itself_gives_its_answer_and_code() -> None:
    async def run() -> tuple[bytes, int | None]:
        async with child("sh", "-c", "echo done; exit 3", stdout=PIPE) as process:
            said, _ = await process.communicate()
            return said, process.returncode

    assert asyncio.run(run()) == (b"done\n", 3)


def test_a_program_that_is_not_there_is_said() -> None:
    async def run() -> None:
        async with child("there-is-no-such-program"):
            raise AssertionError("it was started")

    with pytest.raises(FileNotFoundError, match="there-is-no-such-program"):
        asyncio.run(run())
