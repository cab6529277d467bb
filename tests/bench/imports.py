"""`crm bench imports`: a file of many people through the running stack: checked, imported, undone, brought back and
undone again, the last two with kill -9 in the middle; the read models compared each time."""

import asyncio
import csv
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg

from crm.delivery import HOME
from crm.imports import Options, Request, Status, Wish, digest_of, import_id
from crm.scalars import Id, Micros
from services.imports.reading import open_file, read_import
from services.imports.rows import RowReader
from services.operations.imports.client import ImportClient
from services.stack import state
from tests.bench.cost import each, spent
from tests.bench.end_to_end import Forms
from tests.bench.machine import machine
from tests.bench.open_api.posting import OpenApi

HEADER = ("Код", "ПІБ", "Телефон", "Ел. пошта", "Місто", "Дата створення")
CITIES = ("Київ", "Львів", "Одеса", "Харків", "Дніпро")
FORMS, FORMS_SECONDS = 20, 10  # a second, while nothing is imported; and as long as it is imported
LINES = 5_000  # of one body of POST /facts
PARTS = ("check", "run", "again", "undo", "kill", "facts")
# What cards say, without how often and when they were touched, and without those of the forms that come meanwhile.
OF_FORMS = "EXISTS (SELECT FROM unnest(c.phones) AS p WHERE p LIKE '+38067%%')"
CARDS = f"""
SELECT count(*), coalesce(sum(hashtextextended(row(contact_id, name, source, phones, emails, accounts, fields, doubted,
created_at)::text, 0)::numeric), 0)::text FROM read.contact AS c WHERE workspace = %s AND NOT {OF_FORMS}"""
DEALS = f"""
SELECT count(*), coalesce(sum(hashtextextended(row(deal_id, contact_id, number, title, amount_minor, stage, owner,
reference, d.fields)::text, 0)::numeric), 0)::text FROM read.deal AS d
WHERE workspace = %s AND NOT EXISTS (SELECT FROM read.contact AS c WHERE c.contact_id = d.contact_id
  AND c.workspace = d.workspace AND {OF_FORMS})"""
Report = Callable[[str], None]


def write_table(file: Path, rows: int) -> None:
    """Writes people that differ in every run, as Excel would: windows-1251 with semicolons."""
    run = int(time.time()) % 1_000_000
    with file.open("w", encoding="cp1251", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(HEADER)
        for n in range(rows):
            day = f"{n % 28 + 1:02}.{n % 12 + 1:02}.2024"
            phone = f"+38050{(run * 7 + n) % 10_000_000:07}"
            writer.writerow(
                (
                    f"{run}-{n:07}",
                    f"Олена Тестова {n}",
                    phone,
                    f"olena.testova{run}.{n}@example.com",
                    CITIES[n % 5],
                    day,
                )
            )


class Watch:
    """Follows an import: the most memory that the role and its readers took, in bytes; and may kill it once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.peak, self.killed, self.kill_at = folder, 0, 0, 0

    def look(self, status: Status) -> None:
        """Kills the role once so many rows, or records of an undo, are done."""
        for part in state.running(self.folder).parts:
            if part.name != "imports" or not psutil.pid_exists(part.pid):
                continue
            process = psutil.Process(part.pid)
            taken = [one.memory_info().rss for one in (process, *process.children(recursive=True))]
            self.peak = max(self.peak, sum(taken))
            done = status.undo.removed if status.undo else status.decided
            if 0 < self.kill_at <= done:
                self.kill_at = 0
                os.kill(part.pid, signal.SIGKILL)
                self.killed += 1


class Bench:
    """One file and the running stack. `rows`: how many it has."""

    def __init__(
        self, folder: Path, graphql_url: str, token: str, form: str, workspace: Id, dsn: str, rows: int
    ) -> None:
        self.folder, self.graphql_url, self.token, self.form = folder, graphql_url, token, form
        self.workspace, self.dsn, self.rows = workspace, dsn, rows
        self.watch = Watch(folder)

    async def perform(self, client: ImportClient, wish: Wish, kill: bool = False) -> dict[str, Any]:
        """Returns what was done, how long it took and what a row cost."""
        self.watch.kill_at = self.rows // 2 if kill else 0
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            before, began = spent(self.folder, conn), time.perf_counter()
            status = await asyncio.to_thread(self.follow, client, wish)
            seconds, after = time.perf_counter() - began, spent(self.folder, conn)
            undo = status.undo
            done = {"contacts": undo.contacts, "kept": undo.kept} if undo else msgspec.to_builtins(status.counts)
            found = {"phase": status.phase.value, **done, "seconds": round(seconds, 1)}
            found["rows_per_second"] = round(self.rows / seconds)
            if kill:  # what the killed process took is not known
                return found | {"killed": self.watch.killed}
            return found | {"processor_us_per_row": each(before, after, self.rows, 1e6)}

    def follow(self, client: ImportClient, wish: Wish) -> Status:
        (client.check if wish is Wish.CHECK else lambda: client.ask(wish))()
        return client.follow(self.watch.look)

    def checksums(self) -> dict[str, str]:
        """Returns how many cards and deals the read models have, and the sum of hashes of what they say."""
        with psycopg.connect(self.dsn) as conn:
            found = {}
            for name, query in (("contact", CARDS), ("deal", DEALS)):
                count, total = conn.execute(query.encode(), [self.workspace]).fetchone() or (0, "")
                found[name] = f"{count} rows, {total}"
            return found

    async def forms(self, over: Callable[[float], bool]) -> dict[str, Any]:
        async with Forms(self.form, self.graphql_url, self.token) as forms:
            began = time.perf_counter()
            await forms.keep_posting(FORMS, over)
            await forms.settled()
            return forms.figures(began)

    async def facts(self, file: Path, report: Report) -> dict[str, Any]:
        """The same rows, under other keys, through POST /facts."""
        async with OpenApi(self.folder, report) as api:
            before, began = await api.progress(), time.perf_counter()
            count, _ = await api.post_all(bodies(file, self.workspace))
            await api.caught_up(before, count)
            seconds = time.perf_counter() - began
        return {"rows": count, "seconds": round(seconds, 1), "rows_per_second": round(count / seconds)}


def bodies(file: Path, workspace: Id) -> Iterator[bytes]:
    """Yields the lines that a program would send for the rows of a file."""
    digest = digest_of(file)
    at = Micros(int(time.time() * 1e6))
    request = Request(
        import_id(workspace, digest), workspace, file.name, digest, 1, at, options=Options(system="posted")
    )
    reading = read_import(request, open_file(request, file), HOME)
    reader = RowReader(reading.mapping, digest[:32], at, HOME)
    lines = [line for row in reading.table.rows() if isinstance(line := reader.read(row), bytes)]
    for begin in range(0, len(lines), LINES):
        yield b"\n".join(lines[begin : begin + LINES])


async def bench_imports(bench: Bench, parts: list[str], report: Report) -> dict[str, Any]:
    """Raises ValueError when the API refuses the file."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "people.csv"
        write_table(file, bench.rows)
        url = bench.graphql_url.removesuffix("/graphql")
        with ImportClient(url, bench.token, file, Options(system="bench")) as client:
            found = await measured(bench, client, file, parts, report)
        size = file.stat().st_size
    settings = {"rows": bench.rows, "bytes": size, "forms_per_second": FORMS, "parts": ", ".join(parts)}
    peak = {"peak_memory_mb": round(bench.watch.peak / 1e6)}
    return {"benchmark": "imports", "machine": machine(), "settings": settings, **found, **peak}


async def measured(bench: Bench, client: ImportClient, file: Path, parts: list[str], report: Report) -> dict[str, Any]:
    passes: dict[str, Any] = {}
    sums = {"before": bench.checksums()}
    found: dict[str, Any] = {"passes": passes}

    async def perform(name: str, wish: Wish, kill: bool = False) -> None:
        report(f"{name}: {bench.rows:,} rows")
        passes[name] = await bench.perform(client, wish, kill)
        sums[name] = await asyncio.to_thread(bench.checksums)
        report(f"{name}: {passes[name]}")

    if "check" in parts:
        await perform("check", Wish.CHECK)
    if "run" in parts:
        report("forms without an import")
        quiet = await bench.forms(lambda passed: passed >= FORMS_SECONDS)
        running = asyncio.create_task(perform("run", Wish.RUN))
        busy = await bench.forms(lambda _: running.done())
        await running
        found["forms"] = {"without an import": quiet, "during the import": busy}
        if quiet["visible_ms"] and busy["visible_ms"]:
            ratio = busy["visible_ms"]["p99_ms"] / quiet["visible_ms"]["p99_ms"]
            found["forms_p99_with_to_without"] = round(ratio, 1)
    if "again" in parts:
        await perform("check again", Wish.CHECK)
    if "undo" in parts:
        await perform("check of the undo", Wish.CHECK_UNDO)
        await perform("undo", Wish.UNDO)
        found["undone_is_as_before"] = sums["undo"] == sums["before"]
    if "kill" in parts:
        await perform("redo, killed", Wish.REDO, kill=True)
        found["brought_back_is_as_imported"] = sums["redo, killed"] == sums["run"]
        await perform("undo, killed", Wish.UNDO, kill=True)
        found["undone_again_is_as_before"] = sums["undo, killed"] == sums["before"]
    if "facts" in parts:
        report("the same rows through POST /facts")
        passes["POST /facts"] = posted = await bench.facts(file, report)
        if "run" in passes:
            ratio = passes["run"]["rows_per_second"] / posted["rows_per_second"]
            found["import_to_post_facts"] = round(ratio, 2)
    return found | {"checksums": sums}
