"""Switches off a webhook that answered 410 or at which nothing arrived for 75 hours, by a command as a person would."""

import asyncio
from datetime import UTC, datetime

import structlog
from psycopg import AsyncConnection

from crm.commands import Rejected
from crm.decisions.commands.webhook_change import WebhookChange, webhook_change
from crm.engine.run_command import carry_out
from crm.envelope import named_id, now
from crm.scalars import Id
from crm.shared import Meta
from services.outbound.session import Session
from services.outbound.webhooks import cursors
from services.outbound.webhooks.known import Known
from streams.runtime.sessions import SESSION

ACTOR = "outbound"
LOOK_SECONDS = 5.0
FAILED_SECONDS = 75 * 3_600
logger = structlog.get_logger()


async def run(known: Known) -> None:
    """Runs until it is cancelled."""
    async with Session(known.role.settings.database_url, SESSION) as session:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not known.webhooks:
                continue
            try:
                await look(await session.get(), known)
            except Exception as error:
                logger.warning("webhooks cannot be switched off now; trying again", error=repr(error))


async def look(conn: AsyncConnection, known: Known) -> None:
    why = dict(known.gone)
    for id, since in await cursors.failed_long(conn, FAILED_SECONDS):
        moment = datetime.fromtimestamp(since, UTC).isoformat(sep=" ", timespec="minutes")
        why.setdefault(id, f"Nothing arrived at its receiver since {moment}.")
    for id, reason in why.items():
        if (webhook := known.webhooks.get(id)) and webhook.enabled:
            await switch_off(conn, webhook.workspace, id, reason)
        known.gone.pop(id, None)


async def switch_off(conn: AsyncConnection, workspace: Id, webhook_id: Id, why: str) -> None:
    at = now()
    command_id = named_id(webhook_id, f"off {at}")
    meta = Meta(command_id, workspace, webhook_id, at, at, "outbound", command_id, actor=ACTOR)
    text = f"{why} What waits is kept. Mend it, then switch it on: it goes on where it stopped."
    try:
        await carry_out(conn, webhook_change, WebhookChange(meta=meta, webhook_id=webhook_id, enabled=False, why=text))
    except Rejected:
        return  # it is off already, or was removed
    logger.warning("a webhook was switched off", webhook=webhook_id, workspace=workspace, why=why)
