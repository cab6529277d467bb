"""What the project role tells the API, without the role."""

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


def notify(connection: Connection, workspace: str, projection: str, *keys: Id) -> int:
    """As in the transaction that changed these rows by one more event. Returns the position behind it."""
    ((next,),) = connection.execute(NEXT, [PROJECTIONS[projection].table, JOURNAL.name, PARTITION]).fetchall()
    again(connection, workspace, projection, next, *keys)
    return int(next)


def again(connection: Connection, workspace: str, projection: str, next: int, *keys: Id) -> None:
    table = PROJECTIONS[projection].table
    at = {PARTITION: next}
    for told in (
        {"projection": table, "workspace": workspace, "keys": keys, "at": at},
        {"moved": [[[table], at]]},
    ):
        connection.execute("SELECT pg_notify('changes', %s)", [json.dumps(told)])


def reach(connection: Connection, projection: str, partition: int, next: int) -> None:
    """The projection is there, and nobody was told."""
    connection.execute(REACH, [PROJECTIONS[projection].table, JOURNAL.name, partition, next - 1])
