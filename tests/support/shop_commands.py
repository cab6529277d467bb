"""Commands through the API's engine on a real Postgres; read models follow on request."""

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from typing import Any
from uuid import uuid4

import msgspec
from obstore.store import MemoryStore

from api.commands.executor import CommandExecutor
from api.commands.rereads import Rereads
from api.context import Context
from api.engine import Engine
from api.live.changes import Changes
from api.schema.root import schema
from api.sql.database import pool
from api.sql.pool import Pool
from crm.adapters.export_store import ExportStore
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.kafka.directory import Access, Token
from crm.contract.codec import decode
from crm.engine.decide_batch import Arrived, decide
from crm.engine.run_command import AGAIN
from crm.envelope import Event, Fact
from crm.scalars import Id
from tests.integration.crm.engine.test_deciding import SLICES, begin
from tests.support.project_role import ProjectRole
from tests.support.records import in_workspace, journal, open_connection, rules_of
from tests.support.secret_keys import KEYS
from tests.support.timeouts import TIMEOUT

SELECTED = {
    "deal": "id number title stage stageReason owner version amount { minor currency } paid { minor } fields reference",
    "contact": "id name phones emails version mergedInto fields",
    "payment": "id parked why version deal { number }",
    "message": "id text direction status",
    "note": "id text author version",
    "task": "id title dueAt owner done version",
    "pipeline": "stages labels paidStage partPaidStage version",
    "owner": "key name active version",
    "assignmentRules": "version rules { name owners pick }",
    "field": "id entity key label type options required retired version",
    "connection": "id connector name settings enabled version",
    "stageRule": "id name stage enabled taskTitle messageText version",
    "webhook": "id name url types enabled why version",
    "token": "id name scopes expiresAt revokedAt version",
}


class ShopCommands:
    """`scopes`: what the caller's token is good for."""

    def __init__(self, dsn: str, bootstrap: str, rows: Pool, scopes: Sequence[str]) -> None:
        self.dsn, self.workspace = dsn, Id(str(uuid4()))
        self.access, self.rows = Access(KEYS), rows
        self.intake_url, self.activity = "https://crm.example.com", ActivityDirectory()
        self.executor = CommandExecutor(dsn, self.access, bootstrap, KEYS, patience=TIMEOUT)
        self.imports, self.exports = ImportStore(MemoryStore()), ExportStore(MemoryStore())
        self.changes, self.engine = Changes(dsn), Engine()
        self.grant("crm_live_desk", scopes)

    def grant(self, text: str, scopes: Sequence[str]) -> None:
        id = Id(str(uuid4()))
        token = Token(id, self.workspace, frozenset(scopes), f"{text} of Olha")
        self.access.tokens[sha256(text.encode()).hexdigest()] = token

    async def ask(self, document: str, variables: Any = None, key: str = "", token: str = "crm_live_desk") -> Any:
        """Returns the whole answer."""
        context = Context(self.rows, self.access, self.changes, f"Bearer {token}", executor=self.executor)
        context.intake_url, context.activity = self.intake_url, self.activity
        context.imports, context.exports = self.imports, self.exports
        context.rereads = Rereads("http://127.0.0.1:9", self.executor)  # where nobody answers
        context.idempotency_key = key or None
        plan = self.engine.prepare(document, None, context.token)
        return json.loads((await self.engine.answer(plan, variables, context)).body)

    async def do(self, name: str, /, *, once: str = "", token: str = "crm_live_desk", **given: Any) -> Any:
        """Runs a mutation. Returns its payload with the row under `row`. `once`: the Idempotency-Key."""
        kind = str(schema._schema.mutation_type.fields[name].args["input"].type.of_type.name)  # type: ignore[union-attr]  # it has one
        payload: Any = schema._schema.type_map[kind.removesuffix("Input") + "Payload"]
        (row,) = SELECTED.keys() & payload.fields.keys()
        secret = "secret" if "secret" in payload.fields else ""
        said = f"row: {row} {{ {SELECTED[row]} }} position userErrors {{ field code message }} {secret}"
        answer = await self.ask(
            f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {said} }} }}", {"input": given}, once, token
        )
        return answer["data"][name] if answer.get("data") else answer

    async def events(self) -> list[Event]:
        """Returns all events of this shop in commit order."""
        return [event for event in await self.everything() if event.meta.workspace == self.workspace]

    async def everything(self) -> list[Event]:
        """Returns the events of all shops in this database: no relay empties the outbox."""
        async with await open_connection(self.dsn) as conn:
            found = await conn.execute(f"SELECT o.id, packed FROM {SLICES} ORDER BY o.id, partition")
            return [decode(p[-1]) for _, records in await found.fetchall() for p in msgspec.msgpack.decode(records)]

    async def project(self, events: Sequence[Event] | None = None) -> None:
        """Folds all events, or these, into the read models."""
        taken = await self.everything() if events is None else events
        async with await open_connection(self.dsn) as conn:
            await (await ProjectRole(conn).start()).catch_up(journal(taken))

    async def receive_facts(self, *facts: Fact) -> None:
        """Decides facts; retries like the role when another writer came first."""
        async with await open_connection(self.dsn) as conn:
            while True:
                with contextlib.suppress(*AGAIN):
                    async with conn.transaction():
                        await decide(conn, [Arrived(in_workspace(fact, self.workspace)) for fact in facts])
                    return


@contextlib.asynccontextmanager
async def shop_commands(
    dsn: str, bootstrap: str = "127.0.0.1:9", scopes: Sequence[str] = ("read", "write")
) -> AsyncIterator[ShopCommands]:
    rows = pool(dsn)
    rows.patience = TIMEOUT
    await rows.open()
    shop = ShopCommands(dsn, bootstrap, rows, scopes)
    await shop.executor.pool.open()
    try:
        async with await open_connection(dsn) as conn:
            await begin(conn, shop.workspace, rules_of(shop.workspace))
        yield shop
    finally:
        await shop.executor.pool.close()
        await rows.close()
