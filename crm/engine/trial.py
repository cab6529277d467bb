"""Decides facts for a look at what would follow: on the state of Postgres, and nothing is written or locked.

What the facts so far would have changed is kept aside, in a file of its own that ends with the trial: a trial of a
million facts takes the memory of one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec
from psycopg import AsyncConnection

from crm.adapters.postgres.state import Batch, Key, columns, text_array
from crm.decisions import decided
from crm.decisions.case import Entity
from crm.engine.decide_batch import Arrived, prefetch
from crm.envelope import Event, Fact, now
from crm.scalars import Id
from crm.state import Contact

LOAD = """
SELECT k.n, s.value::text FROM core.state AS s
JOIN unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS k(w, k, n) ON s.workspace = k.w AND s.key = k.k"""
SEEN = "SELECT fact_id::text FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"
Outcome = list[Event] | Exception | None
encode = msgspec.json.Encoder().encode


class Aside:
    """What a trial changed so far: JSON by workspace and key, None for what it took away."""

    def __init__(self) -> None:
        self.file = sqlite3.connect("")  # a file without a name
        self.file.execute("PRAGMA journal_mode = OFF")
        self.file.execute("CREATE TABLE changed (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")

    def get(self, keys: Sequence[Key]) -> dict[Key, str | None]:
        if not keys:
            return {}
        names = {workspace + name: (workspace, name) for workspace, name in keys}
        wanted = encode(list(names)).decode()
        found = self.file.execute(
            "SELECT c.key, c.value FROM json_each(?) AS k JOIN changed AS c ON c.key = k.value", [wanted]
        )
        return {names[name]: value for name, value in found}

    def put(self, changed: Iterable[tuple[Key, Entity | None]]) -> None:
        rows = ((w + name, None if entity is None else encode(entity).decode()) for (w, name), entity in changed)
        self.file.executemany("INSERT OR REPLACE INTO changed VALUES (?, ?)", rows)


class TrialBatch(Batch):
    """A batch that sees what the trial changed before it, and locks nothing."""

    def __init__(self, aside: Aside) -> None:
        super().__init__()
        self.aside = aside

    async def load(self, conn: AsyncConnection, keys: Iterable[Key]) -> None:
        wanted = [key for key in keys if key not in self.loaded]
        if not wanted:
            return
        found: dict[Key, Any] = dict(self.aside.get(wanted))
        if stored := [key for key in wanted if key not in found]:
            rows = await (await conn.execute(LOAD, columns(stored))).fetchall()
            found |= dict.fromkeys(stored) | {stored[n - 1]: value for n, value in rows}
        self.loaded |= found
        self.now = found | self.now


class Trial:
    """Decides facts one after the other, each on what those before it would have left."""

    def __init__(self, conn: AsyncConnection) -> None:
        """`conn`: in autocommit mode."""
        self.conn, self.aside = conn, Aside()
        self.batch = TrialBatch(self.aside)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.aside.file.close()

    def contact_name(self, workspace: Id, contact_id: Id) -> str:
        """Returns the name of a card that the last facts were decided on; empty for any other."""
        contact = self.batch.of(workspace).get(Contact, contact_id)
        return contact.name if contact else ""

    async def decide(self, facts: Sequence[Fact]) -> list[Outcome]:
        """Returns the events that would follow from each fact; None when it was decided before; the error of a rule
        that fails, for which decide would put the fact into quarantine."""
        batch, at = TrialBatch(self.aside), now()
        self.batch = batch
        arrived = [Arrived(fact) for fact in facts]
        seen = await self.conn.execute(SEEN, [text_array([fact.meta.id for fact in facts])])
        before = {id for (id,) in await seen.fetchall()}
        news = [one for one in arrived if one.fact.meta.id not in before]
        await prefetch(self.conn, batch, news)

        def act(one: Arrived) -> Outcome:
            try:
                return decided(one.case(batch, at))
            except Exception as error:
                batch.forget()
                return None if batch.assumed else error

        made: Iterator[Outcome] = iter(await batch.run(self.conn, news, act))
        self.aside.put(batch.changed.items())
        return [None if one.fact.meta.id in before else next(made) for one in arrived]
