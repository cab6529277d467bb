"""The API role: GraphQL over the read models, as a process of its own."""

import asyncio
import signal
from pathlib import Path

import structlog
import uvloop

from api.access import Curious, curious
from api.app import App
from api.commands.desk import Desk
from api.http.connections import Impatient
from api.http.sockets import configuration, listening, many_files
from api.live.changes import Changes
from api.live.freshness import Freshness
from api.live.journal import Journal
from api.live.subscriptions.limits import BOUNDS
from api.sql.database import pool
from api.trusted import Trusted, read
from crm.adapters.kafka.directory import Access
from crm.adapters.postgres.token_uses import Uses
from crm.adapters.telemetry import health, logs, tracing
from crm.adapters.telemetry.asgi import Observed
from crm.settings import Settings

PATIENCE = 5  # seconds that requests under way have when the role is told to stop
log = structlog.get_logger()


def asked(settings: Settings) -> tuple[int, Curious, Trusted]:
    """What may be asked, and how much. Raises ValueError for a setting that does not fit."""
    documents = read(Path(settings.trusted_documents)) if settings.trusted_documents else {}
    return settings.rate_points, curious(settings.introspection), Trusted(documents, bool(settings.trusted_only))


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT: what is under way is ended, then the rest is let go."""
    many_files()
    listener = listening(settings.host, settings.api_port)
    rows, access = pool(settings.database_url), Access()
    desk = Desk(settings.database_url, access, settings.kafka_bootstrap)
    freshness = Freshness(settings.database_url)
    changes = Changes(settings.database_url, Journal(settings.kafka_bootstrap))

    def missing() -> str | None:
        if unknown := access.missing():
            return unknown
        return None if changes.listening.is_set() else "Postgres does not answer yet."

    bounds = settings.max_body, *asked(settings)
    archive = Path(settings.archive).expanduser() if settings.archive else None
    app = App(rows, access, changes, missing, *bounds, desk=desk, freshness=freshness, archive=archive)
    server = health.Quiet(
        configuration(
            Observed(app),
            BOUNDS,
            http=Impatient,
            timeout_graceful_shutdown=PATIENCE,
        )
    )

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await rows.open()
    await desk.pool.open()
    beside = [
        asyncio.create_task(access.start(settings.kafka_bootstrap)),
        asyncio.create_task(changes.run()),
        asyncio.create_task(Uses(settings.database_url, access.used).run()),
        asyncio.create_task(freshness.run()),
        asyncio.create_task(health.serve(settings.health_port, missing, settings.host)),
    ]
    log.info("serving GraphQL", url=f"http://{settings.host}:{settings.api_port}/graphql")
    await server.serve([listener])
    for task in beside:
        task.cancel()
    await asyncio.wait(beside, timeout=PATIENCE)
    await access.stop()
    await desk.pool.close()
    await rows.close()


if __name__ == "__main__":
    settings = Settings.read()
    logs.configure(settings, "api")
    tracing.start("api")
    uvloop.run(serve(settings))
    tracing.stop()
