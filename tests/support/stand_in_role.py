"""A role that is only ready, for tests of the supervisor; `CRM_STAND_IN` makes it misbehave."""

import asyncio
import os
import signal

from crm.adapters.telemetry import health
from crm.settings import Settings

MISSING = "is not ready yet"


async def main() -> None:
    settings, stop = Settings.read(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    missing = MISSING if os.environ.get("CRM_STAND_IN") == "never ready" else None
    serving = asyncio.create_task(health.serve(settings.health_port, lambda: missing))
    print(f"stand-in {settings.instance} on {settings.kafka_bootstrap}", flush=True)
    await stop.wait()
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
