"""`crm bench imports|export`: a file of many rows through the running stack, and views of it into files."""

import asyncio
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from crm.adapters.postgres.analysts import session_login
from crm.imports import Options, Status, Wish
from crm.scalars import Id
from services.cli.sql_results import connected
from services.operations.export import export, query_of
from services.operations.export_files import FORMATS
from services.operations.imports.client import ImportClient
from services.stack import state
from tests.bench.end_to_end import bench_forms
from tests.bench.machine import machine

HEADER = ("Код", "ПІБ", "Телефон", "Ел. пошта", "Місто", "Дата створення")
CITIES = ("Київ", "Львів", "Одеса", "Харків", "Дніпро")
FORMS, FORMS_SECONDS = 20, 10  # a second, while nothing is imported and while it is
Report = Callable[[str], None]
TIMEOUT = 3_600  # seconds of one export


def write_table(file: Path, rows: int) -> None:
    """Writes people that differ in every run, as Excel would: windows-1251 with semicolons."""
    run = int(time.time()) % 1_000_000
    with file.open("w", encoding="cp1251", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(HEADER)
        for n in range(rows):
            day = f"{n % 28 + 1:02}.{n % 12 + 1:02}.2024"
            phone = f"+38067{(run * 7 + n) % 10_000_000:07}"
            writer.writerow(
                (f"{run}-{n:07}", f"Олена Тестова {n}", phone, f"u{run}-{n}@example.com", CITIES[n % 5], day)
            )


class Peak:
    """The most memory that the role took so far, in bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bytes = folder, 0

    def look(self, _: Status) -> None:
        for part in state.running(self.folder).parts:
            if part.name == "imports" and psutil.pid_exists(part.pid):
                process = psutil.Process(part.pid)
                self.bytes = max(self.bytes, process.memory_info().rss)


async def bench_imports(
    folder: Path, graphql_url: str, token: str, form: str, rows: int, report: Report
) -> dict[str, Any]:
    """Checks and imports a table of so many contacts. Raises ValueError when the API refuses it."""
    peak = Peak(folder)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "people.csv"
        write_table(file, rows)
        size, url = file.stat().st_size, graphql_url.removesuffix("/graphql")

        def perform(client: ImportClient, wish: Wish) -> Status:
            client.ask(wish)
            return client.follow(peak.look)

        with ImportClient(url, token, file, Options(system="bench")) as client:
            report(f"checking {rows:,} rows")
            client.check()
            checked = await asyncio.to_thread(client.follow, peak.look)
            quiet = await bench_forms(form, graphql_url, token, FORMS, FORMS_SECONDS, report)
            report(f"importing {rows:,} rows")
            running = asyncio.create_task(asyncio.to_thread(perform, client, Wish.RUN))
            busy = await bench_forms(form, graphql_url, token, FORMS, FORMS_SECONDS, report)
            during = not running.done()
            done = await running
            again = await asyncio.to_thread(perform, client, Wish.CHECK)
    return {
        "benchmark": "imports",
        "machine": machine(),
        "settings": {"rows": rows, "bytes": size, "forms_per_second": FORMS},
        "check": figures(checked),
        "run": {**figures(done), "forms": busy, "forms_ended_during_the_import": during},
        "check_again": figures(again),
        "forms_without_an_import": quiet,
        "peak_memory_mb": round(peak.bytes / 1e6),
    }


def figures(status: Status) -> dict[str, Any]:
    rate = round(status.counts.rows / status.seconds) if status.seconds else 0
    return {
        "phase": status.phase,
        "counts": status.counts,
        "seconds": round(status.seconds, 1),
        "rows_per_second": rate,
    }


def bench_exports(dsn: str, workspace: Id, view: str, report: Report) -> dict[str, Any]:
    """Exports a view in every format."""
    found: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        session_login(dsn, workspace, TIMEOUT) as address,
        connected(address) as conn,
    ):
        for ending in FORMATS:
            report(f"exporting {view} to {ending}")
            file, began = Path(place) / f"rows{ending}", time.perf_counter()
            count = export(conn, query_of(view), file)
            seconds = time.perf_counter() - began
            found[ending.removeprefix(".")] = {
                "rows": count,
                "bytes": file.stat().st_size,
                "seconds": round(seconds, 2),
                "rows_per_second": round(count / seconds),
            }
    return {"benchmark": "export", "machine": machine(), "settings": {"view": view}, **found}
