"""Who is calling, for webhooks that hear of a call while it rings: read when it is sent, as /screen-pop does."""

import asyncio

from msgspec import json

from crm.adapters.postgres.callers import LOOK_UP, read_found
from crm.adapters.postgres.reader_role import NAME, ROLE
from crm.envelope import Event, now
from crm.events import CallUpdated
from crm.screen_pop.caller import caller
from crm.screen_pop.employees import called
from crm.screen_pop.rings import may_ring
from services.outbound.session import Session
from services.outbound.webhooks.payload import Parts
from streams.runtime.sessions import SESSION

OPTIONS = f"{SESSION} -c default_transaction_read_only=on -c role={ROLE}"


class Callers:
    """Reads with the rights of the API: row-level security shows it one workspace at a time."""

    def __init__(self, dsn: str) -> None:
        self.session, self.turn = Session(dsn, OPTIONS), asyncio.Lock()
        self.known: tuple[str, bytes] = ("", b"")  # of the last event: several webhooks are sent the same

    async def with_caller(self, event: Event, parts: Parts) -> Parts:
        """Returns the parts of a body, with `caller` in the data of a call that rings now. Raises psycopg.Error."""
        if not isinstance(event, CallUpdated) or not may_ring(event, now()):
            return parts
        async with self.turn:
            if self.known[0] != event.meta.id:
                self.known = event.meta.id, await self.read(event)
            head, tail = parts
            return head, tail.removesuffix(b"}}") + b',"caller":' + self.known[1] + b"}}"

    async def read(self, event: CallUpdated) -> bytes:
        given = {"workspace": event.meta.workspace, "call": event.call_id, "phone": ""}
        if event.phone:
            given["phone"] = event.phone.e164
        conn = await self.session.get()
        async with conn.pipeline():
            await conn.execute(NAME, [event.meta.workspace])
            looked_up = await conn.execute(LOOK_UP.encode(), given, prepare=True)
        row = await looked_up.fetchone()
        assert row is not None
        found = read_found(row[0])
        said = caller(found, event.contact_id, event.known)
        return json.encode({"employee": called(event.employee, found.salespeople), **said})
