"""Brings a database up to what this version needs: the core tables and each projection's table and view."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg

from crm.adapters.read_models import ddl, view
from crm.projection import Projection
from crm.topics import JOURNAL

CORE = Path(__file__).with_name("core.sql")
LOCK = 7_068_001  # one migration at a time, whoever starts first


def migrate(dsn: str, projections: Iterable[Projection[Any]]) -> None:
    """Safe to run at every start, by several at once."""
    with psycopg.connect(dsn) as conn:
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        conn.execute(CORE.read_bytes())
        conn.execute(
            "INSERT INTO core.journal_head (partition) SELECT generate_series(0, %s) ON CONFLICT DO NOTHING",
            [JOURNAL.partitions - 1],
        )
        for projection in projections:
            conn.execute(ddl(projection).encode())
            (present,) = conn.execute("SELECT to_regclass(%s)", [f"read.{projection.name}"]).fetchone() or (None,)
            if present is None:
                conn.execute(view(projection).encode())
