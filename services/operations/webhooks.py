"""The webhooks of a workspace from a terminal: the same commands as the API's, and the log of deliveries."""

import getpass
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import json
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from crm.connection_secrets import new_webhook_secret, sealed, webhook_declared
from crm.contract.codec import decode
from crm.decisions.commands import COMMANDS
from crm.engine.run_command import CommandResult, carry_out
from crm.envelope import Event
from crm.events import WebhookAdded, WebhookRemoved, WebhookRotated
from crm.scalars import Id
from crm.secret_keys import SecretKeys
from services.operations.rules_in_force import command, require_workspace
from services.outbound.delivery import Delivery
from services.outbound.webhooks.payload import body_of, parts_of
from services.stack.access import publish, read_directory

WEBHOOKS = """
SELECT webhook_id::text, name, url, types, stages, changed, thin, enabled, why, (
  SELECT count(*) FROM outbound.delivery AS d WHERE d.target = w.webhook_id AND d.state IN ('dead', 'uncertain')
) AS dead
FROM read.webhook AS w WHERE workspace = %s ORDER BY name, webhook_id"""
DELIVERIES = """
SELECT id::text, type, state, partition, position, previous, stream::text, planned_at, attempted_at, due_at, attempts,
  status, took_ms, error, response, tries
FROM outbound.delivery WHERE workspace = %(workspace)s AND target = %(webhook)s
  AND (%(state)s::text = '' OR state = %(state)s) AND (%(type)s::text = '' OR type = %(type)s)
  AND (%(card)s::text = '' OR stream::text = %(card)s)
ORDER BY planned_at DESC, position DESC LIMIT %(most)s"""
ONE = """
SELECT d.id::text, d.type, d.state, d.stream::text, d.partition, d.position, d.previous, d.attempts, d.status,
  d.took_ms, d.error, d.response, d.tries, w.value ->> 'url' AS url, (w.value ->> 'thin')::boolean AS thin, h.event
FROM outbound.delivery AS d LEFT JOIN outbound.webhook AS w ON w.webhook_id = d.target
  LEFT JOIN core.history AS h ON (h.workspace, h.stream, h.position) = (d.workspace, d.stream, d.position)
WHERE d.workspace = %s AND d.target = %s AND d.id = %s"""


class Done(NamedTuple):
    """What a command did. `secret` is the one that was made up, shown only now."""

    webhook_id: Id
    changed: bool
    secret: str = ""


async def carry_out_one(
    dsn: str, bootstrap: str, keys: SecretKeys, workspace: Id, name: str, given: Mapping[str, object]
) -> Done:
    """Carries out a command on a webhook. A new secret is in Kafka before the command takes effect.

    Raises Rejected, NoSecretKey, and ValueError when there is no such workspace: nothing is changed then.
    """
    secret = str(given.get("secret") or "")
    made_up = "" if secret or name not in ("webhook_add", "webhook_rotate") else new_webhook_secret()
    declared = (await read_directory(bootstrap, keys)).connections if name == "webhook_rotate" else {}

    async def write_secret(events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case WebhookAdded():
                    fact = webhook_declared(event, secret or made_up)
                case WebhookRotated():
                    before = declared.get(event.webhook_id)
                    fact = webhook_declared(event, secret or made_up, before.secret if before else "", event.both_until)
                case WebhookRemoved():
                    fact = webhook_declared(event, "", enabled=False)
                case _:
                    continue
            await publish(bootstrap, (fact.connection, sealed(fact, keys)))

    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await require_workspace(conn, workspace)
        made = command(name, workspace, getpass.getuser(), given)
        done: CommandResult = await carry_out(conn, COMMANDS[name], made, effect=write_secret)
    return Done(done.subject, bool(done.events), made_up)


async def webhooks_of(dsn: str, workspace: Id) -> list[dict[str, Any]]:
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        return await (await conn.execute(WEBHOOKS, [workspace])).fetchall()


async def deliveries_of(
    dsn: str, workspace: Id, webhook: Id, state: str = "", most: int = 50, type: str = "", card: str = ""
) -> list[dict[str, Any]]:
    """Returns the newest deliveries of a webhook. `state`, `type`, `card`: only those; empty: all."""
    given = {"workspace": workspace, "webhook": webhook, "state": state, "type": type, "card": card, "most": most}
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        return await (await conn.execute(DELIVERIES, given)).fetchall()


async def delivery_of(dsn: str, workspace: Id, webhook: Id, id: Id) -> dict[str, Any]:
    """Returns one delivery: where it goes, `request`, which is the body as it is sent, and what became of it.

    Raises ValueError when there is none. `request` is None for an event that the project role has not kept yet.
    """
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        found = await (await conn.execute(ONE, [workspace, webhook, id])).fetchone()
    if found is None:
        raise ValueError(f"The webhook {webhook} has no delivery {id}; deliveries are kept for a month.")
    frame, thin = found.pop("event"), bool(found.pop("thin"))
    if frame is None:
        return {**found, "request": None}
    place = found["stream"], found["partition"], found["position"], found["type"], found["previous"]
    one = Delivery(id, "webhook", workspace, webhook, found["stream"], *place)
    return {**found, "request": json.decode(body_of(one, parts_of(one, decode(bytes(frame)), thin)))}
