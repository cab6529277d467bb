"""The answers of a workspace from a terminal: who waits for one, what became of each, and the same commands as the
API's."""

import getpass
from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from crm.decisions.commands import COMMANDS
from crm.engine.run_command import carry_out
from crm.scalars import Id
from services.operations.rules_in_force import command, require_workspace

OPEN = ("queued", "uncertain", "failed")  # of an answer that did not go out, as far as is known
STATUSES = (*OPEN, "sent", "delivered", "read", "kept")
REPLIES = """
SELECT m.message_id::text, m.conversation_id::text, c.channel, p.name AS contact, m.status, m.text, m.failure,
  m.sender_name AS author, m.sent_at, d.attempts, CASE WHEN d.state = 'waiting' THEN d.error END AS waits_for,
  CASE WHEN d.state = 'waiting' THEN d.due_at END AS due_at
FROM read.message AS m
JOIN read.conversation AS c USING (workspace, conversation_id)
LEFT JOIN read.contact AS p ON p.workspace = m.workspace AND p.contact_id = c.contact_id
LEFT JOIN outbound.delivery AS d ON d.id = m.message_id AND d.kind = 'reply'
WHERE m.workspace = %s AND m.direction = 'out' AND m.status = ANY (%s) AND m.sent_at > now() - %s * interval '1 day'
ORDER BY m.sent_at DESC LIMIT %s"""
CONVERSATIONS = """
SELECT c.conversation_id::text, c.channel, p.name AS contact, c.touched_at, c.unanswered, c.last_text
FROM read.conversation AS c
LEFT JOIN read.contact AS p ON p.workspace = c.workspace AND p.contact_id = c.contact_id
WHERE c.workspace = %s AND (c.unanswered OR %s) ORDER BY c.touched_at DESC LIMIT %s"""


async def replies_of(dsn: str, workspace: Id, statuses: tuple[str, ...], days: int, most: int) -> list[dict[str, Any]]:
    """Returns the newest answers, of so many days. `waits_for`: why its last attempt did not succeed, `due_at`: when
    the next one is."""
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        return await (await conn.execute(REPLIES, [workspace, list(statuses), days, most])).fetchall()


async def conversations_of(dsn: str, workspace: Id, all: bool, most: int) -> list[dict[str, Any]]:
    """Returns the newest conversations; those that wait for an answer unless `all`."""
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        return await (await conn.execute(CONVERSATIONS, [workspace, all, most])).fetchall()


async def carry_out_one(dsn: str, workspace: Id, name: str, given: Mapping[str, object]) -> Id:
    """Carries out a command on an answer. Returns its id. Raises Rejected, and ValueError when there is no such
    workspace: nothing is changed then."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await require_workspace(conn, workspace)
        return (await carry_out(conn, COMMANDS[name], command(name, workspace, getpass.getuser(), given))).subject
