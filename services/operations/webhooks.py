"""The webhooks of a workspace from a terminal: the same commands as the API's, and the log of deliveries."""

import getpass
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from crm.connection_secrets import new_webhook_secret, sealed, webhook_declared
from crm.decisions.commands import COMMANDS
from crm.engine.run_command import CommandResult, carry_out
from crm.envelope import Event
from crm.events import WebhookAdded, WebhookRemoved, WebhookRotated
from crm.scalars import Id
from crm.secret_keys import SecretKeys
from services.operations.rules_in_force import command, require_workspace
from services.stack.access import publish, read_directory

WEBHOOKS = """
SELECT webhook_id::text, name, url, types, stages, changed, thin, enabled, why, (
  SELECT count(*) FROM outbound.delivery AS d WHERE d.target = w.webhook_id AND d.state IN ('dead', 'uncertain')
) AS dead
FROM read.webhook AS w WHERE workspace = %s ORDER BY name, webhook_id"""
DELIVERIES = """
SELECT id::text, type, state, partition, position, previous, stream::text, planned_at, attempted_at, due_at, attempts,
  status, took_ms, error, response, tries
FROM outbound.delivery WHERE workspace = %s AND target = %s AND (%s::text = '' OR state = %s)
ORDER BY planned_at DESC LIMIT %s"""


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


async def deliveries_of(dsn: str, workspace: Id, webhook: Id, state: str, most: int) -> list[dict[str, Any]]:
    """Returns the newest deliveries of a webhook. `state`: only those; empty: all."""
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        return await (await conn.execute(DELIVERIES, [workspace, webhook, state, state, most])).fetchall()
