"""The role intake: `python -m services.intake`."""

import asyncio
import contextlib
import gc
import signal
from functools import cache, partial

import structlog
import uvicorn
import uvloop

from crm.adapters.cors import Origins
from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.telemetry import health, tracing
from crm.adapters.telemetry.asgi import Observed
from crm.adapters.telemetry.logs import configure
from crm.adapters.telemetry.metrics import PENDING
from crm.errors import CrmError
from crm.public_address import api_url
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from crm.topics import ACTIVITY, INTAKE, QUARANTINE
from services.connectors import CONNECTORS
from services.intake import cache_warmup
from services.intake.app import Intake
from services.intake.callers import ApiCallers
from services.intake.large import FileStore
from services.intake.oauth import ApiCallBacks
from services.intake.records import MAX_BODY
from services.intake.request import Frontend

logger = structlog.get_logger()


async def main(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT, then finishes the requests in progress."""
    keys = SecretKeys.of(settings)
    access, api = Access(keys), api_url(settings)
    callers, call_backs = ApiCallers(api, keys), ApiCallBacks(api)
    topics = [topic.name for topic in (*INTAKE.values(), QUARANTINE, ACTIVITY)]
    following = asyncio.create_task(access.start(settings.kafka_bootstrap))
    async with KafkaLog(
        settings.kafka_bootstrap, topics, max_pending=settings.max_pending, timeout=settings.produce_timeout
    ) as log:
        PENDING.set_function(lambda: log.pending)
        app = Intake(
            access,
            tracing.spans.log(log) if tracing.spans else log,
            CONNECTORS,
            max_body=min(settings.max_body, MAX_BODY),
            max_batch_body=settings.max_batch_body,
            frontend=Frontend.read(settings.public_url, settings.trust_forwarded),
            instance=settings.instance,
            callers=callers,
            call_backs=call_backs,
            max_mail_body=settings.max_mail_body,
            store=cache(partial(open_store, settings.attachments)) if settings.attachments else None,
        )
        server = health.ServerWithoutSignals(
            uvicorn.Config(
                Observed(Origins.read(settings.cors_origins).for_forms(app)),
                host=settings.host,
                port=settings.intake_port,
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                log_config=None,
                timeout_keep_alive=settings.keep_alive,
                timeout_graceful_shutdown=10,
            )
        )
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, server.end)
        warming_up = asyncio.create_task(cache_warmup.warm_up(settings.kafka_bootstrap, app.bulk.digests))
        publishing = asyncio.create_task(publish_activity(settings.kafka_bootstrap, app))
        checks = asyncio.create_task(health.serve(settings.health_port, app.missing, settings.host))
        gc.collect()
        gc.freeze()  # what is loaded by now stays: collecting it again and again took a tenth of the time
        logger.info("intake listens", host=settings.host, port=settings.intake_port)
        await server.serve()
        for task in (checks, following, warming_up, publishing):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await callers.close()
        await call_backs.close()
        await access.stop()
    logger.info("intake stopped")


def open_store(place: str) -> FileStore:
    from crm.adapters.attachment_store import AttachmentStore  # here, as most replicas never take a large delivery

    return AttachmentStore.open(place)


async def publish_activity(bootstrap: str, app: Intake) -> None:
    """Publishes what comes to each connection, going on from what this replica published before. Until cancelled."""
    published = ActivityDirectory(polled=False)
    try:
        await published.start(bootstrap)
    finally:
        await published.stop()
    app.activity.resume(published.counted)
    if stale := app.activity.stale(published.counted):
        with contextlib.suppress(CrmError):
            await app.log.send(*stale)
    await app.activity.run(app.log)


if __name__ == "__main__":
    settings = Settings.read()
    configure(settings, "intake")
    tracing.start("intake")
    uvloop.run(main(settings))
    tracing.stop()
