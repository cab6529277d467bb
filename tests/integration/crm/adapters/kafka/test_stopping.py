"""A stream role that gets SIGTERM ends, even if one of its tasks does not."""

import os
import signal
import subprocess
import sys

from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

STUBBORN = """
import asyncio
from streams.runtime.role import run

async def deaf():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

class Role:
    def missing(self):
        return None

    async def run(self):
        self.left = asyncio.create_task(deaf())
        print("runs", flush=True)
        await deaf()

run("stubborn", lambda settings: Role())
"""


def test_a_task_that_will_not_end_holds_up_nobody() -> None:
    """The event loop waits for every task when it is closed, and Faust's agent waited for room in a full queue: under
    load a role that got SIGTERM once kept running for a minute, until the supervisor killed it."""
    environment = {**os.environ, "CRM_HEALTH_PORT": "0"}
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "runs\n"
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT) == 0
        finally:
            process.kill()
