"""Sends the project role's notices to the API, without the role."""

import json
from typing import Any

import psycopg

from crm.scalars import Id
from crm.topics import JOURNAL
from projections import PROJECTIONS

Connection = psycopg.Connection[Any]
PARTITION = 11  # no event of these tests lies there
REACH = """
INSERT INTO core.checkpoint (consumer, topic, partition, position) VALUES (%s, %s, %s, %s)
ON CONFLICT (consumer, topic, partition) DO UPDATE SET position = excluded.position"""
NEXT = """
INSERT INTO core.checkpoint (consumer, topic, partition, position) VALUES (%s, %s, %s, 0)
ON CONFLICT (consumer, topic, partition) DO UPDATE SET position = core.checkpoint.position + 1
RETURNING position + 1"""


def notify(connection: Connection, workspace: str, projection: str, *keys: Id, **before: dict[str, Any]) -> int:
    """Sends the notice of one more event that changed these rows. Returns the next position.

    `before`, if given: what a row was, by its key, as the project role sends it.
    """
    ((next,),) = connection.execute(NEXT, [PROJECTIONS[projection].table, JOURNAL.name, PARTITION]).fetchall()
    notify_again(connection, workspace, projection, next, *keys, **before)
    return int(next)


def notify_again(connection: Connection, workspace: str, projection: str, next: int, *keys: Id, **before: Any) -> None:
    table = PROJECTIONS[projection].table
    at = {PARTITION: next}
    for notice in (
        {"projection": table, "workspace": workspace, "keys": keys, "at": at, **before},
        {"moved": [[[table], at]]},
    ):
        connection.execute("SELECT pg_notify('changes', %s)", [json.dumps(notice)])


def advance_checkpoint(connection: Connection, projection: str, partition: int, next: int) -> None:
    """Moves the projection's checkpoint without a notice."""
    connection.execute(REACH, [PROJECTIONS[projection].table, JOURNAL.name, partition, next - 1])
