"""Runs the API role: GraphQL over the read models, as a process of its own."""

import asyncio
import gc
import signal
from pathlib import Path

import structlog
import uvloop

from api.access import MayIntrospect, may_introspect
from api.app import App
from api.commands.executor import CommandExecutor
from api.console.questions import documents as console_documents
from api.http.connections import BoundedHttpProtocol
from api.http.sockets import open_listener, raise_open_file_limit, server_config
from api.live.changes import Changes
from api.live.freshness import Freshness
from api.live.journal import Journal
from api.live.subscriptions.limits import LIMITS
from api.sql.database import pool
from api.trusted import TrustedDocuments, load
from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.cors import Origins
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.kafka.directory import Access
from crm.adapters.postgres.token_uses import TokenUses
from crm.adapters.telemetry import health, logs, tracing
from crm.adapters.telemetry.asgi import Observed
from crm.public_address import intake_inside_url, intake_url
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from crm.webhook_urls import webhook_hosts

PATIENCE = 5  # seconds for requests in progress to finish when the role stops
log = structlog.get_logger()


def request_limits(settings: Settings) -> tuple[int, MayIntrospect, TrustedDocuments]:
    """Returns what callers may ask for, and how much. Raises ValueError when a setting is not valid."""
    documents = console_documents() | (load(Path(settings.trusted_documents)) if settings.trusted_documents else {})
    trusted = TrustedDocuments(documents, bool(settings.trusted_only))
    return settings.rate_points, may_introspect(settings.introspection), trusted


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then finishes requests in progress and closes all connections."""
    raise_open_file_limit()
    listener = open_listener(settings.host, settings.api_port)
    keys = SecretKeys.of(settings)
    rows, access, activity = pool(settings.database_url), Access(keys), ActivityDirectory()
    hosts = webhook_hosts(settings.webhook_hosts)
    executor = CommandExecutor(settings.database_url, access, settings.kafka_bootstrap, keys, private_hosts=hosts)
    freshness = Freshness(settings.database_url)
    changes = Changes(settings.database_url, Journal(settings.kafka_bootstrap))

    def missing() -> str | None:
        if unknown := access.missing():
            return unknown
        return None if changes.listening.is_set() else "Postgres does not answer yet."

    settings_limits = settings.max_body, *request_limits(settings)
    archive = Path(settings.archive).expanduser() if settings.archive else None
    app = App(
        rows,
        access,
        changes,
        missing,
        *settings_limits,
        executor=executor,
        freshness=freshness,
        archive=archive,
        stack=Path(settings.stack) if settings.stack else None,
        origins=Origins.read(settings.cors_origins),
        intake_url=intake_url(settings),
        intake_inside_url=intake_inside_url(settings),
        attachments=AttachmentStore.open(settings.attachments) if settings.attachments else None,
        activity=activity,
        imports=ImportStore.open(settings.imports) if settings.imports else None,
    )
    server = health.ServerWithoutSignals(
        server_config(
            Observed(app),
            LIMITS,
            http=BoundedHttpProtocol,
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=PATIENCE,
        )
    )

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.end)
    await rows.open()
    await executor.pool.open()
    background = [
        asyncio.create_task(access.start(settings.kafka_bootstrap)),
        asyncio.create_task(activity.start(settings.kafka_bootstrap)),
        asyncio.create_task(changes.run()),
        asyncio.create_task(TokenUses(settings.database_url, access.used).run()),
        asyncio.create_task(freshness.run()),
        asyncio.create_task(health.serve(settings.health_port, missing, settings.host)),
    ]
    gc.collect()
    gc.freeze()  # what is loaded by now stays
    log.info("serving GraphQL", url=f"http://{settings.host}:{settings.api_port}/graphql")
    await server.serve([listener])
    for task in background:
        task.cancel()
    await asyncio.wait(background, timeout=PATIENCE)
    await access.stop()
    await activity.stop()
    await executor.pool.close()
    await rows.close()


if __name__ == "__main__":
    settings = Settings.read()
    logs.configure(settings, "api")
    tracing.start("api")
    uvloop.run(serve(settings))
    tracing.stop()
