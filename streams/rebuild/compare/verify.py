"""Verifies every projection against a fresh fold of the journal. Does not change what is read."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from crm.adapters.postgres import field_values, totals, views
from crm.adapters.postgres.field_values import WrongValue
from crm.adapters.postgres.totals import WrongTotal
from crm.errors import Broken
from crm.projection import Projection
from streams.rebuild.compare.compare import compare_tables
from streams.rebuild.compare.shadow import ShadowReport
from streams.rebuild.failures import SERVER_ERRORS, sentence
from streams.rebuild.read.kafka_source import ReadPosition
from streams.rebuild.rebuild import ProgressListener, Rebuild, RebuildPlan, rebuild_lock
from streams.rebuild.spec import load_projections
from streams.rebuild.write import tables
from streams.rebuild.write.checksums import checksum

SCHEMA = "verifying"  # of the fresh tables, dropped at the end


class VerifyResult(msgspec.Struct):
    """By projection: the comparison of its rows, the checksum of the table that is read, wrong totals and fields."""

    reports: dict[str, ShadowReport]
    checksums: dict[str, str]
    events: int
    seconds: dict[str, float]
    totals: dict[str, list[WrongTotal]] = {}
    fields: dict[str, list[WrongValue]] = {}

    @property
    def same(self) -> bool:
        """Returns whether no row, no total and no custom field of any projection differs."""
        return not any([*self.totals.values(), *self.fields.values()]) and all(
            report.same for report in self.reports.values()
        )


async def verify(plan: RebuildPlan, listener: ProgressListener | None = None) -> VerifyResult:
    """Verifies the projections of the plan. Raises Broken with a sentence when the journal cannot be folded."""
    try:
        return await fold_and_compare(plan, listener or ProgressListener())
    except SERVER_ERRORS as error:
        raise Broken(sentence(error)) from error


async def fold_and_compare(plan: RebuildPlan, listener: ProgressListener) -> VerifyResult:
    projections = load_projections(plan.names, plan.file)
    run = Rebuild(plan, listener, schema=SCHEMA)
    fresh = tables.in_schema(projections, SCHEMA)
    with rebuild_lock(plan.dsn, [SCHEMA]):
        await asyncio.to_thread(require_views, plan.dsn, projections)
        try:
            done = await run.fold(fresh)
            await run.complete(fresh, done)
            at = {p: ReadPosition(done.offsets.get(p, 0), end) for p, end in done.until.items()}
            reports: dict[str, ShadowReport] = {}
            with run.timed("compare"):
                for projection in fresh:
                    report = await compare_tables(plan.dsn, projection, at, plan.bootstrap, plan.topic)
                    if report:
                        reports[projection.name] = report
            with run.timed("checksum"):
                sums = await asyncio.to_thread(checksums, plan.dsn, plan.names)
            with run.timed("totals"):
                wrong = await asyncio.to_thread(wrong_totals, plan.dsn, projections)
            with run.timed("fields"):
                fields = await asyncio.to_thread(wrong_fields, plan.dsn, projections)
        finally:
            await asyncio.to_thread(drop_all, plan.dsn, fresh)
    return VerifyResult(reports, sums, sum(done.until.values()), run.seconds, wrong, fields)


def require_views(dsn: str, projections: Sequence[Projection[Any]]) -> None:
    """Raises Broken when a projection has no view."""
    with tables.connected(dsn) as conn:
        if missing := [p.name for p in projections if views.served(conn, p.name) is None]:
            raise Broken(f"There is no view of {', '.join(missing)}. Nothing was changed. `crm setup` creates it.")


def checksums(dsn: str, names: Sequence[str]) -> dict[str, str]:
    """Returns the checksum of the table behind each view."""
    with psycopg.connect(dsn, autocommit=True, application_name="crm verify") as conn:
        shown = {name: views.served(conn, name) for name in names}
        return {name: checksum(conn, *table)[1] for name, table in shown.items() if table}


def wrong_totals(dsn: str, projections: Sequence[Projection[Any]]) -> dict[str, list[WrongTotal]]:
    """Compares the totals of each projection whose view shows this version with its rows. Returns those that differ."""
    with psycopg.connect(dsn, autocommit=True, application_name="crm verify") as conn:
        shown = [p for p in projections if views.served(conn, p.name) == ("read", p.table)]
        return {p.name: found for p in shown if (found := totals.wrong(conn, p))}


def wrong_fields(dsn: str, projections: Sequence[Projection[Any]]) -> dict[str, list[WrongValue]]:
    """Compares the custom fields of each projection whose view shows this version with their table of values."""
    with psycopg.connect(dsn, autocommit=True, application_name="crm verify") as conn:
        shown = [p for p in projections if views.served(conn, p.name) == ("read", p.table)]
        return {p.name: found for p in shown if (found := field_values.wrong(conn, p))}


def drop_all(dsn: str, fresh: Sequence[Projection[Any]]) -> None:
    """Drops the fresh tables and their schema."""
    with tables.connected(dsn) as conn:
        for projection in fresh:
            tables.drop(conn, projection)
        conn.execute(f"DROP SCHEMA IF EXISTS {SCHEMA}".encode())
