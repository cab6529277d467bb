"""The role polling that dies, as by kill -9, when the facts of a page are in Kafka and its cursor is not."""

import os
import runpy
import signal

from services.polling.turns import Turns


async def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Turns.write = die  # type: ignore[assignment,method-assign]  # a fault
    runpy.run_module("services.polling", run_name="__main__")
