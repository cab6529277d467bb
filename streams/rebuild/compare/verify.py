"""Every projection against a fresh fold of the journal; what is read is not touched."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from crm.adapters.postgres import views
from crm.errors import Broken
from crm.projection import Projection
from streams.rebuild.compare import compare as comparing
from streams.rebuild.compare.shadow import Report
from streams.rebuild.failures import TROUBLE, sentence
from streams.rebuild.read.kafka_source import Begin
from streams.rebuild.rebuild import Plan, Rebuild, Told, held
from streams.rebuild.spec import load
from streams.rebuild.write import tables
from streams.rebuild.write.checksums import checksum

SCHEMA = "verifying"  # of the fresh tables, which are dropped at the end


class Verified(msgspec.Struct):
    """By projection: how the rows compare, and the checksum of the table that is read."""

    reports: dict[str, Report]
    checksums: dict[str, str]
    events: int
    seconds: dict[str, float]

    @property
    def same(self) -> bool:
        return all(report.same for report in self.reports.values())


async def verify(plan: Plan, told: Told | None = None) -> Verified:
    """Raises Broken with a sentence when the journal cannot be folded."""
    try:
        return await verified(plan, told or Told())
    except TROUBLE as error:
        raise Broken(sentence(error)) from error


async def verified(plan: Plan, told: Told) -> Verified:
    projections = load(plan.names, plan.file)
    run = Rebuild(plan, told, schema=SCHEMA)
    fresh = tables.building(projections, SCHEMA)
    with held(plan.dsn, [SCHEMA]):
        await asyncio.to_thread(all_there, plan.dsn, projections)
        try:
            done = await run.fold(fresh)
            await run.complete(fresh, done)
            at = {p: Begin(done.offsets.get(p, 0), end) for p, end in done.until.items()}
            reports: dict[str, Report] = {}
            with run.timed("compare"):
                for projection in fresh:
                    report = await comparing.compare(plan.dsn, projection, at, plan.bootstrap, plan.topic)
                    if report:
                        reports[projection.name] = report
            with run.timed("checksum"):
                sums = await asyncio.to_thread(checksums, plan.dsn, plan.names)
        finally:
            await asyncio.to_thread(drop_all, plan.dsn, fresh)
    return Verified(reports, sums, sum(done.until.values()), run.seconds)


def all_there(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    with tables.connected(dsn) as conn:
        if missing := [p.name for p in projections if views.served(conn, p.name) is None]:
            raise Broken(f"There is no view of {', '.join(missing)}. Nothing was changed. `crm setup` makes it.")


def checksums(dsn: str, names: Sequence[str]) -> dict[str, str]:
    """Of what each view shows."""
    with psycopg.connect(dsn, autocommit=True, application_name="crm verify") as conn:
        shown = {name: views.served(conn, name) for name in names}
        return {name: checksum(conn, *table)[1] for name, table in shown.items() if table}


def drop_all(dsn: str, fresh: Sequence[Projection[Any]]) -> None:
    with tables.connected(dsn) as conn:
        for projection in fresh:
            tables.drop(conn, projection)
        conn.execute(f"DROP SCHEMA IF EXISTS {SCHEMA}".encode())
