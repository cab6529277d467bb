"""The API role: GraphQL over the read models, as a process of its own."""

import asyncio
import contextlib

import structlog
import uvicorn

from api.app import App
from api.changes import Changes
from api.database import pool
from crm.adapters import health, logs
from crm.adapters.access import Access
from crm.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT: uvicorn ends what is under way, then the rest is let go."""
    rows, access, changes = pool(settings.database_url), Access(), Changes(settings.database_url)

    def ready() -> str | None:
        if missing := access.missing():
            return missing
        return None if changes.listening.is_set() else "Postgres does not answer yet."

    config = uvicorn.Config(
        App(rows, access, changes, ready, settings.max_body),
        host=settings.host,
        port=settings.api_port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws_max_size=settings.max_body,
        timeout_graceful_shutdown=5,
    )
    tasks = [
        asyncio.create_task(changes.run()),
        asyncio.create_task(access.start(settings.kafka_bootstrap)),
        asyncio.create_task(health.serve(settings.health_port, ready, settings.host)),
    ]
    await rows.open()
    log.info("serving GraphQL", url=f"http://{settings.host}:{settings.api_port}/graphql")
    try:
        await uvicorn.Server(config).serve()
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        await access.stop()
        await rows.close()


if __name__ == "__main__":
    settings = Settings.read()
    logs.configure(settings, "api")
    asyncio.run(serve(settings))
