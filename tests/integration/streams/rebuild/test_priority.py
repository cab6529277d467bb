"""A rebuild runs at low priority while roles use its database, and at full speed when alone or instructed to."""

import os
import subprocess
import sys

import psycopg
import pytest

from crm.adapters.postgres.migrations import migrate
from projections import PROJECTIONS
from streams.rebuild.priority import choose_priority, lower_priority

PARALLEL = (
    "SELECT current_setting('max_parallel_maintenance_workers'), current_setting('max_parallel_workers_per_gather')"
)


@pytest.mark.parametrize("role", ["potik api freshness", "crm project", "crm decide-2"])
def test_low_priority_alongside_roles(fresh_database_url: str, role: str) -> None:
    dsn = fresh_database_url
    assert choose_priority(dsn, 0, False) == (False, 2, 2, dsn)
    with psycopg.connect(dsn, application_name="crm rebuild"):  # another rebuild may wait
        assert not choose_priority(dsn, 0, False).gentle
    with psycopg.connect(dsn, application_name=role):
        assert choose_priority(dsn, 0, True) == (False, 2, 2, dsn)
        how = choose_priority(dsn, 0, False)
        assert (how.gentle, how.workers, how.parallel_indexes) == (True, 1, 1)
        assert choose_priority(dsn, 3, False).workers == 3
        with psycopg.connect(how.dsn) as conn:
            assert conn.execute(PARALLEL).fetchone() == ("0", "0")


def test_a_process_with_low_priority() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        lower_priority(process.pid)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        if sys.platform == "linux":
            assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
        process.communicate(b"\n")
    lower_priority(process.pid)  # the process has ended: no error


def test_existing_tables_are_not_locked_against_writers(fresh_database_url: str) -> None:
    """`crm rebuild` migrates the tables first. That once requested locks that writers hold even when nothing was to be
    done: alongside live traffic Postgres ended one of both as a deadlock."""
    hurried = f"{fresh_database_url}?options=-c%20lock_timeout%3D300ms"
    with psycopg.connect(fresh_database_url) as writer:
        for projection in PROJECTIONS.values():
            writer.execute(f"LOCK TABLE {projection.qualified_name} IN ROW EXCLUSIVE MODE".encode())
        migrate(hurried, PROJECTIONS.values())
    index = f"read.{PROJECTIONS['deal'].table}_number"
    with psycopg.connect(fresh_database_url) as conn:
        conn.execute(f"DROP INDEX {index}".encode())
    migrate(hurried, PROJECTIONS.values())
    with psycopg.connect(fresh_database_url) as conn:
        assert conn.execute("SELECT to_regclass(%s) IS NULL", [index]).fetchone() == (False,)
