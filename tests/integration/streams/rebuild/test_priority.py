"""A rebuild gives way when roles use its database, and not when it is alone or told otherwise."""

import os
import subprocess
import sys

import psycopg
import pytest

from crm.adapters.postgres.migrations import migrate
from projections import PROJECTIONS
from streams.rebuild.priority import choose, give_way

PARALLEL = (
    "SELECT current_setting('max_parallel_maintenance_workers'), current_setting('max_parallel_workers_per_gather')"
)


@pytest.mark.parametrize("role", ["potik api freshness", "crm project", "crm decide-2"])
def test_beside_roles(fresh_database_url: str, role: str) -> None:
    dsn = fresh_database_url
    assert choose(dsn, 0, False) == (False, 2, 2, dsn)
    with psycopg.connect(dsn, application_name="crm rebuild"):  # another rebuild is nobody who must not wait
        assert not choose(dsn, 0, False).gentle
    with psycopg.connect(dsn, application_name=role):
        assert choose(dsn, 0, True) == (False, 2, 2, dsn)
        how = choose(dsn, 0, False)
        assert (how.gentle, how.workers, how.at_once) == (True, 1, 1)
        assert choose(dsn, 3, False).workers == 3
        with psycopg.connect(how.dsn) as conn:
            assert conn.execute(PARALLEL).fetchone() == ("0", "0")


def test_a_process_that_gives_way() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        give_way(process.pid)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
        if sys.platform == "linux":
            assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
        process.communicate(b"\n")
    give_way(process.pid)  # it is gone: nothing is said


def test_tables_that_are_there_are_left_to_those_who_write(fresh_database_url: str) -> None:
    """`crm rebuild` brings the tables up to the release first. That asked for locks which writers hold, also where
    nothing was to be done: beside live traffic one of both was ended as a deadlock."""
    hurried = f"{fresh_database_url}?options=-c%20lock_timeout%3D300ms"
    with psycopg.connect(fresh_database_url) as writer:
        for projection in PROJECTIONS.values():
            writer.execute(f"LOCK TABLE {projection.place} IN ROW EXCLUSIVE MODE".encode())
        migrate(hurried, PROJECTIONS.values())
    index = f"read.{PROJECTIONS['deal'].table}_number"
    with psycopg.connect(fresh_database_url) as conn:
        conn.execute(f"DROP INDEX {index}".encode())
    migrate(hurried, PROJECTIONS.values())
    with psycopg.connect(fresh_database_url) as conn:
        assert conn.execute("SELECT to_regclass(%s) IS NULL", [index]).fetchone() == (False,)
