"""The clocks of the roles jump a day ahead or back, and are set right again."""

import asyncio
import time
from functools import partial

from tests.chaos.faults import FaultContext, fault

DAY = 86_400  # seconds
SKEWED = ("intake", "decide", "relay", "project")
WITHIN = 10.0  # seconds to the next commit of everybody


async def jump(seconds: int, run: FaultContext) -> None:
    file = run.cluster.switch
    file.write_text(str(seconds))
    await run.injected(time.monotonic())
    await asyncio.sleep(6)
    file.write_text("0")


MODULES = {"intake": "services.intake", **{role: f"streams.{role}" for role in ("decide", "relay", "project")}}

for name, seconds, where in (("clock-ahead", DAY, "a day ahead"), ("clock-back", -DAY, "a day back")):
    fault(
        name,
        f"The clocks of {', '.join(SKEWED)} jump {where} for 6 s.",
        bound=WITHIN,
        roles={role: f"tests.chaos.skewed_clock {module}" for role, module in MODULES.items()},
    )(partial(jump, seconds))
