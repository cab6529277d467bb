"""Every vendor through every fault, on a real stack: what was delivered is decided exactly once."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from unittest.mock import patch

import httpx
import psycopg
from msgspec import structs

from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.connector import Connection, Delivery
from crm.connector_catalogue import catalogue
from crm.contract.codec import decode
from crm.engine.workspaces import WorkspaceSettings
from crm.envelope import Event, Fact
from crm.events import ContactCreated, ContactMerged, ContactRenamed
from crm.scalars import Id, Micros
from crm.topics import INTAKE, QUARANTINE
from crm.vendor_override import variable
from services.connectors import CONNECTORS
from services.connectors.rehearsal import rehearsals
from services.intake.app import Intake
from services.intake.published_keys import PublishedKeys
from services.intake.request import Frontend
from services.stack.activation import NewConnection, check_connections, connect_vendor
from services.stack.process import until
from services.stack.workspaces import open_workspace
from tests.simulator.accounts import Accounts
from tests.simulator.apis import vendor_apis, vendors
from tests.simulator.attempts import Attempts
from tests.simulator.deliveries import Delivered, Sender
from tests.simulator.faults import Faulty
from tests.simulator.keys import given
from tests.simulator.retries import manner_of
from tests.simulator.samples import Group, groups, signs_time
from tests.simulator.servers import served
from tests.support.connector_deliveries import NOW
from tests.support.connector_samples import SEED, ConnectorSample
from tests.support.secret_keys import KEYS
from tests.support.timeouts import TIMEOUT

FAULTS = ("none", "error", "answer lost", "silence", "slow drip", "sent twice", "reversed", "late", "outage")
AT_ONCE = 6  # runs


@dataclass
class Run:
    """One vendor and one fault: a workspace of its own, its connections, and what became of the deliveries."""

    vendor: str
    fault: str
    workspace: Id
    sent: int = 0  # deliveries, each counted once
    kept: int = 0
    results: list[Delivered] = field(default_factory=list)
    facts: dict[Id, tuple[str, int]] = field(default_factory=dict)  # that intake keeps: of which sample, which one
    statuses: Counter[int] = field(default_factory=Counter)  # that intake itself answered
    activated: list[str] = field(default_factory=list)
    decided: int = 0
    made: int = 0  # events, as `made` counts them
    repeated: int = 0  # events that are in the journal twice

    @property
    def accepted(self) -> int:
        return sum(result.accepted for result in self.results)

    @property
    def outcome(self) -> str:
        """In words, for the table."""
        attempts = sum(result.attempts for result in self.results)
        said = f"{self.kept}/{self.sent} in {attempts}"
        if self.statuses[401]:
            return f"{said}, refused"
        if self.repaired:
            return f"{said}, set again"
        return said if self.kept == self.sent else f"{said}, {'given up' if manner_of(self.vendor).waits else 'once'}"

    @property
    def repaired(self) -> bool:
        return any(result.off for result in self.results)


@dataclass
class World:
    """Intake behind faults, the vendors' APIs, and the stack that decides."""

    bootstrap: str
    dsn: str
    accounts: Accounts
    faulty: Faulty
    access: Access
    intake: str
    client: httpx.AsyncClient
    numbers: Iterator[int]
    published: dict[str, str]

    async def run(self, vendor: str, fault: str) -> Run:
        values = WorkspaceSettings(f"{vendor} {fault}", owners=("olena",))
        workspace, _ = await open_workspace(self.bootstrap, self.dsn, values)
        run = Run(vendor, fault, workspace)
        for group in groups()[vendor]:
            await self.deliver(run, group)
        return run

    async def deliver(self, run: Run, group: Group) -> None:
        seed = f"{run.vendor} {run.fault} {next(self.numbers)}"
        connection, key = await self.connect(run, group, seed)
        path = f"/in/{connection.id}"
        deliveries = [self.signed(sample, path, seed, run.fault) for sample in group.samples]
        names = {id(one): sample.id for one, sample in zip(deliveries, group.samples, strict=True)}
        if run.fault == "reversed":
            deliveries.reverse()
        if run.fault == "sent twice":
            deliveries = [one for one in deliveries for _ in range(2)]
        run.sent += len(names)
        attempt = Attempts(self.client, self.faulty, manner_of(run.vendor), run.fault, self.intake, path)
        sender = Sender(attempt.manner, attempt)
        result = await sender.deliver(deliveries)
        if result.off:  # the webhook was switched off: we look, set it again, and the rest comes
            self.accounts.by_key[run.vendor, key].hooks.clear()
            await self.look(run)
            attempt.fault = "none"
            rest = Sender(sender.manner, attempt)
            run.results.append(await rest.deliver(deliveries[-result.not_sent :]))
        run.results.append(result)
        run.statuses.update(self.faulty.taken[path])
        kept = {id(one) for one in attempt.kept}
        run.kept += len(kept)
        for one in deliveries:
            if id(one) in kept:
                for n, fact in enumerate(facts_of(one, connection)):
                    run.facts[fact.meta.id] = (names[id(one)], n)

    async def connect(self, run: Run, group: Group, seed: str) -> tuple[Connection, str]:
        """Connects like `crm connect`: by the vendor's key where it has an API."""
        vendor, entry = run.vendor, catalogue()[run.vendor]
        secret = rehearsals()[vendor].secret_of(seed)
        settings, own, key = settings_of(group, seed), secret, ""
        if entry.activation and vendor in vendors():
            account = given(self.accounts, vendor, next(self.numbers), secret)
            settings, key = {**account.settings, **settings}, account.account.key
            own = secret if entry.activation.secret in ("given", "made") else ""
        new = NewConnection(run.workspace, entry, vendor, own, settings)
        made, activated = await connect_vendor(self.bootstrap, new, self.intake, KEYS)
        if activated:
            assert activated.active, (vendor, activated)
            run.activated += activated.done

        async def missing() -> str | None:
            found = self.access.connection(made)
            return None if found and found.secret == secret else f"{vendor}: intake has not the vendor's secret yet"

        await until(missing, TIMEOUT)
        connection = self.access.connections[made]
        return connection, key

    async def look(self, run: Run) -> None:
        """Does what `crm connect --check` does."""
        for _, activated in await check_connections(self.bootstrap, run.workspace, run.vendor, self.intake, KEYS):
            assert activated.active, activated
            run.activated += activated.done

    def signed(self, sample: ConnectorSample, path: str, seed: str, fault: str) -> Delivery:
        signed_at = NOW - 3_600_000_000 if fault == "late" and signs_time(sample) else NOW
        own = structs.replace(sample.delivery, base=self.intake, path=path, received_at=Micros(signed_at))
        signed = structs.replace(sample.signed_again(own, seed), received_at=NOW)
        self.published.update(signed.keys)
        return signed


def settings_of(group: Group, seed: str) -> dict[str, str]:
    """Returns the settings of a group for another seed: some of them follow from it."""
    rehearsal = rehearsals()[group.vendor]
    derived = rehearsal.settings(SEED)
    return {name: text for name, text in group.settings.items() if derived.get(name) != text} | dict(
        rehearsal.settings(seed)
    )


def facts_of(one: Delivery, connection: Connection) -> list[Fact]:
    """Returns the facts that a delivery is; none when it is a handshake."""
    webhook = CONNECTORS[connection.connector].webhook
    if webhook and webhook.handshake and webhook.handshake(one, connection) is not None:
        return []
    return CONNECTORS[connection.connector].receive(one, connection)


@contextlib.asynccontextmanager
async def world(bootstrap: str, dsn: str) -> AsyncIterator[World]:
    """Yields intake on this stack's Kafka, behind faults, and the simulated vendors."""
    access, accounts = await Access(KEYS).start(bootstrap), Accounts()
    topics = [topic.name for topic in (*INTAKE.values(), QUARANTINE)]
    async with (
        KafkaLog(bootstrap, topics, timeout=TIMEOUT) as log,
        httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client,
    ):

        async def missing() -> str | None:
            return log.missing()

        await until(missing, TIMEOUT)
        published: dict[str, str] = {}  # the keys that vendors publish, by their URL

        async def fetch(url: str) -> str:
            return published[url]

        keys = PublishedKeys(fetch, lambda: NOW)
        faulty = Faulty(Intake(access, log, CONNECTORS, clock=lambda: NOW, frontend=Frontend(), keys=keys))

        async def visit(method: str, url: str, **more: Any) -> httpx.Response:
            return await client.request(method, url, **more)

        async with served(faulty) as intake, served(vendor_apis(accounts, visit)) as apis:
            names = {variable(name): f"{apis}/{name}" for name in vendors()}
            with patch.dict(os.environ, names):
                yield World(bootstrap, dsn, accounts, faulty, access, intake, client, count(1), published)
    await access.stop()


async def run_all(bootstrap: str, dsn: str, faults: tuple[str, ...] = FAULTS) -> list[Run]:
    """Returns all runs. What was decided is in them once `settle` has waited for it: see `decided`."""
    async with world(bootstrap, dsn) as here:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(vendor: str, fault: str) -> Run:
            async with turn:
                return await here.run(vendor, fault)

        runs = await asyncio.gather(*(one(vendor, fault) for vendor in groups() for fault in faults))
        assert here.accounts.unmatched == [], here.accounts.unmatched
    return list(runs)


def read_decided(dsn: str, runs: list[Run]) -> None:
    """Fills in what the stack has decided of each run."""
    with psycopg.connect(dsn) as conn:
        for run in runs:
            ids = list(run.facts)
            seen = conn.execute(
                "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])", [ids]
            ).fetchone()
            run.decided = seen[0] if seen else 0
            rows = conn.execute("SELECT event FROM core.history WHERE workspace = %s", [run.workspace]).fetchall()
            events = [decode(bytes(event)) for (event,) in rows]
            run.repeated = len(events) - len({event.meta.id for event in events})
            run.made = made(event for event in events if event.meta.cause in run.facts)


def made(events: Iterable[Event]) -> int:
    """Returns how many events there are, without what follows from the order of two topics alone.

    A call and a chat of one person are read in no promised order: the name may come with the card or after it, and of
    two reports that share no number yet each opens a card, which the next one joins.
    """
    number = 0
    for event in events:
        match event:
            case ContactCreated():  # what a card is known by is in it, or is reported when it is learnt
                number += 1 + len(event.identifiers)
            case ContactMerged():
                number -= 1
            case ContactRenamed():
                pass
            case _:
                number += 1
    return number


def problems(runs: Iterable[Run]) -> list[str]:
    """Returns what was not decided exactly once, as sentences."""
    found = []
    for run in runs:
        if run.decided != len(run.facts):
            found.append(f"{run.vendor}, {run.fault}: {len(run.facts)} facts were kept and {run.decided} decided")
        if run.repeated:
            found.append(f"{run.vendor}, {run.fault}: {run.repeated} events are in the journal twice")
    return found
