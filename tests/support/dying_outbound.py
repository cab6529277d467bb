"""`python -m tests.support.dying_outbound TOPIC STEP`: the role outbound that dies, as by kill -9, when a reply has
come to a step on its way.

`planned`: its row is committed. `begun`: the beginning of the attempt is on disk, and no request was made. `taken`: the
vendor has answered, and nobody else knows. `reported`: the fact is in Kafka, not in its row. `never`: lives.
"""

import os
import runpy
import signal
import sys
from functools import partial
from typing import Any

from services.outbound import store
from services.outbound.replies import follower
from services.outbound.replies.follower import Replies
from services.outbound.replies.vendor import SendingVendors
from services.outbound.role import Outbound
from tests.support.timeouts import TIMEOUT

STEPS: dict[str, tuple[Any, str]] = {
    "planned": (Outbound, "committed"),
    "begun": (store, "mark_sending"),
    "taken": (SendingVendors, "call"),
    "reported": (Replies, "tell"),
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(owner: Any, name: str) -> None:
    original = getattr(owner, name)

    async def dying(*args: Any, **said: Any) -> Any:
        found = await original(*args, **said)
        die()
        return found

    setattr(owner, name, dying)


def die_when_planned(original: Any) -> Any:
    def committed(self: Outbound) -> None:
        if self.planning.planned:
            die()
        original(self)

    return committed


if __name__ == "__main__":
    step = sys.argv.pop()
    # What a test lets hang at the vendor hangs until the test ends it, however busy the machine.
    setattr(follower, "SendingVendors", partial(SendingVendors, seconds=2 * TIMEOUT))  # noqa: B010  # not exported
    if step == "planned":
        Outbound.committed = die_when_planned(Outbound.committed)  # type: ignore[method-assign]  # a fault
    elif step in STEPS:
        die_after(*STEPS[step])
    runpy.run_module("tests.support.isolated_outbound", run_name="__main__")
