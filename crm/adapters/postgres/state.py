"""The state that decisions work on, in Postgres: loaded for a batch, changed in memory, written once."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from psycopg import AsyncConnection, DataError

from crm.adapters.postgres.binary import array, literal
from crm.decisions.case import E, Entity
from crm.scalars import Id

T = TypeVar("T")
Done = TypeVar("Done")
Key = tuple[Id, str]  # workspace and kind/key
UUID_LENGTH = 36
encode = msgspec.json.Encoder().encode
NEVER: Any = ...  # nothing was fetched or put under a key
LOAD = """
SELECT k.n, s.value::text FROM core.state AS s
JOIN unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS k(w, k, n) ON s.workspace = k.w AND s.key = k.k
ORDER BY s.workspace, s.key FOR UPDATE OF s"""
INSERT = "INSERT INTO core.state (workspace, key, value) SELECT * FROM unnest(%s::uuid[], %s::text[], %s::json[])"
PUT = f"{INSERT} ON CONFLICT (workspace, key) DO UPDATE SET value = excluded.value"
UPDATE = """
UPDATE core.state AS s SET value = r.v FROM unnest(%s::uuid[], %s::text[], %s::json[]) AS r(w, k, v)
WHERE s.workspace = r.w AND s.key = r.k"""
DELETE = """
DELETE FROM core.state AS s USING json_to_recordset(%s) AS r(w uuid, k text) WHERE s.workspace = r.w AND s.key = r.k"""


class Trial(NamedTuple):
    """What one fact did, and what it took to be absent without having looked."""

    changed: dict[Key, Entity | None]
    assumed: set[Key]


class Batch:
    """All that a batch touches. `changed` is what the facts decided so far did, `trial` what the current one does.

    What was not fetched is taken to be absent for the time being (`assumed`), as new things mostly are: the caller
    fetches it after the pass and runs those facts again for which it was there after all.

    `in_order`: what comes into being here is new to all streams. Folding a journal, streams come as they like: what
    another stream remembers of a contact may be stored before the contact is created.
    """

    def __init__(self, in_order: bool = True) -> None:
        self.in_order = in_order
        self.loaded: dict[Key, Any] = {}  # JSON text until first asked for, then the entity; None: there is none
        self.changed: dict[Key, Entity | None] = {}
        self.trial: dict[Key, Entity | None] = {}
        self.now: dict[Key, Any] = {}  # what holds: as in `trial`, else in `changed`, else in `loaded`
        self.assumed: set[Key] = set()
        self.fresh: set[str] = set()  # ids that came into being in this batch: nothing of them can be stored

    def of(self, workspace: Id) -> "WorkspaceState":
        """Is not kept here: a batch that its states refer to, and that refers to them, would stay until the next
        collection with all that it loaded."""
        return WorkspaceState(self, workspace)

    def keep(self) -> Trial:
        """The current fact is decided."""
        trial = Trial(self.trial, self.assumed)
        self.changed |= self.trial
        self.trial, self.assumed = {}, set()
        return trial

    def forget(self) -> None:
        """The current fact did not come through: as if it had changed nothing."""
        trial, self.trial = self.trial, {}
        self.restore(trial)

    def restore(self, keys: Iterable[Key]) -> None:
        """What holds under these keys, now that some of it was taken back."""
        for key in keys:
            if (before := self.changed.get(key, self.loaded.get(key, NEVER))) is NEVER:
                self.now.pop(key, None)
            else:
                self.now[key] = before

    def again(self, kept: Sequence[Trial]) -> None:
        """As if only these facts had been decided."""
        changed, self.changed = self.changed, {}
        for trial in kept:
            self.changed |= trial.changed
        self.restore(changed)

    async def load(self, conn: AsyncConnection, keys: Iterable[Key]) -> None:
        """Fetches and locks, in key order, what is there; remembers what is not."""
        wanted = [k for k in keys if k not in self.loaded]
        if wanted:
            rows = await (await conn.execute(LOAD, columns(wanted))).fetchall()
            found: dict[Key, Any] = dict.fromkeys(wanted)
            found |= {wanted[n - 1]: value for n, value in rows}
            self.loaded |= found
            self.now = found | self.now

    def there(self, key: Key, kind: type[E]) -> E | None:
        """What holds under a key that was loaded."""
        found = self.now[key]
        if found.__class__ is str:
            found = self.now[key] = self.loaded[key] = msgspec.json.decode(found, type=kind)
        return found  # type: ignore[no-any-return]  # decoded as its kind

    async def run(self, conn: AsyncConnection, items: Sequence[T], act: Callable[[T], Done | None]) -> list[Done]:
        """What `act` makes of each item in turn, on the state that the items before it left; nothing is written yet.

        Usually once; again from the first item that wrongly took something for absent. `act` gives None when it
        failed on something that may be there after all, having taken back what it did (`forget`).
        """
        done: list[Done] = []
        trials: list[Trial] = []
        while len(done) < len(items):
            tried: list[tuple[Done | None, Trial]] = []
            for item in items[len(done) :]:
                tried.append((act(item), self.keep()))
                if tried[-1][0] is None:
                    break
            await self.load(conn, set().union(*(trial.assumed for _, trial in tried)) - self.loaded.keys())
            for made, trial in tried:
                if made is None or any(self.loaded[key] is not None for key in trial.assumed):
                    break
                done.append(made)
                trials.append(trial)
            if len(done) < len(items):
                self.again(trials)
        return done

    async def write(self, conn: AsyncConnection) -> None:
        """Raises psycopg.errors.UniqueViolation when another writer made the same new thing meanwhile: run it again."""
        new, old, blind, gone = [], [], [], []
        for pair in sorted(self.changed.items(), key=lambda pair: pair[0]):
            key, entity = pair
            if entity is None:
                gone.append(key)
            elif key not in self.loaded:
                blind.append(pair)  # its id is new with its fact: nobody can have it
            elif self.loaded[key] is None:
                new.append(pair)
            elif self.loaded[key] != entity:
                old.append(pair)
        if new:
            await conn.execute(INSERT, rows(new))
        if blind:
            await conn.execute(PUT, rows(blind))
        if old:
            await conn.execute(UPDATE, rows(old))
        if gone:
            await conn.execute(DELETE, [as_json({"w": w, "k": k} for w, k in gone)])


class WorkspaceState:
    """crm.decisions.case.State over a batch."""

    def __init__(self, batch: Batch, workspace: Id) -> None:
        self.batch, self.workspace = batch, workspace

    def get(self, kind: type[E], key: str) -> E | None:
        full = self.workspace, f"{kind.__name__}/{key}"
        found = self.batch.now.get(full, NEVER)
        if found is NEVER:
            if key not in self.batch.fresh:
                self.batch.assumed.add(full)
            return None
        return self.batch.there(full, kind) if found.__class__ is str else found

    def put(self, key: str, entity: Entity) -> None:
        full = self.workspace, f"{type(entity).__name__}/{key}"
        batch = self.batch
        if full not in batch.now and batch.in_order and len(key) == UUID_LENGTH and full not in batch.assumed:
            batch.fresh.add(key)
        batch.trial[full] = batch.now[full] = entity

    def drop(self, kind: type[Entity], key: str) -> None:
        full = self.workspace, f"{kind.__name__}/{key}"
        self.batch.trial[full] = self.batch.now[full] = None


def rows(pairs: Sequence[tuple[Key, Entity | None]]) -> list[Any]:
    """Entities as Postgres arrays of workspaces, of names and of values."""
    return [*columns([key for key, _ in pairs]), array("json", [encode(entity) for _, entity in pairs])]


def columns(keys: Sequence[Key]) -> list[str]:
    """Keys as Postgres arrays of workspaces and of names."""
    return [text_array([workspace for workspace, _ in keys]), text_array([name for _, name in keys])]


def text_array(texts: Sequence[str]) -> str:
    """A literal of an array of texts. psycopg makes one of a list, item by item, in ten times the time.

    Raises DataError when a text has a NUL.
    """
    try:
        return literal(texts) or "{}"
    except ValueError:
        raise DataError("A text has a NUL, which Postgres cannot hold.") from None


def as_json(items: Iterable[Any]) -> str:
    """A list for json_to_recordset and its like: what every batch is given to Postgres as."""
    return msgspec.json.encode(list(items)).decode()
