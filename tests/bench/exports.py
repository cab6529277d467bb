"""`crm bench export`: a view of the running stack into files."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crm.adapters.postgres.analysts import session_login
from crm.scalars import Id
from services.cli.sql_results import connected
from services.operations.export import export, query_of
from services.operations.export_files import FORMATS
from tests.bench.machine import machine

Report = Callable[[str], None]
TIMEOUT = 3_600  # seconds of one export


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
