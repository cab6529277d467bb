"""A stream role that counts what it reads, for tests of the roles' loop: one transaction in twenty fails."""

import os
import random

from psycopg import AsyncConnection

from crm.settings import Settings
from streams.consume import Consumption, Todo
from streams.role import run

TOPIC = os.environ.get("COUNTED_TOPIC", "")


class Counting:
    """A row for each record that took effect: a loss is an id without one, a repeat an id with two."""

    consumers = (TOPIC,)
    positioned = False
    durable = True

    async def handle(self, conn: AsyncConnection, todo: Todo, careful: bool) -> set[str]:
        ids = [record.value.decode() for record in todo[TOPIC]]
        await conn.execute("INSERT INTO counted SELECT unnest(%s::text[])", [ids])
        await conn.execute("SELECT pg_sleep(0.02)")  # long enough for a fault to meet it
        if random.random() < 0.05:
            raise InterruptedError("planted")
        return set()


def consumption(settings: Settings) -> Consumption:
    return Consumption(TOPIC, [TOPIC], Counting(), settings)


if __name__ == "__main__":
    run("counting", consumption)
