"""Lowers the priority of a rebuild that runs alongside live traffic, so that it uses only spare processor time.

The priority of Postgres's own processes cannot be lowered, so there are fewer of them alongside running roles: one
folding process, one index at a time, no parallel workers.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psycopg

# The API names its sessions, `crm up` those of every role. A rebuild from empty runs alongside the present database.
ROLES_RUN = """
SELECT EXISTS (SELECT FROM pg_stat_activity
WHERE datname IN (current_database(), regexp_replace(current_database(), '_rebuilt$', ''))
AND application_name ~ '^(potik api|crm (api|decide|relay|project))')"""
NO_PARALLEL = "-c max_parallel_maintenance_workers=0 -c max_parallel_workers_per_gather=0"
LAST = 19  # niceness
PROCESSES = 2  # that fold when no roles run


class Priority(NamedTuple):
    """How much a rebuild may use. `gentle`: it runs at low priority. `parallel_indexes`: built at the same time."""

    gentle: bool
    workers: int
    parallel_indexes: int
    dsn: str


def choose_priority(dsn: str, workers: int, full_speed: bool) -> Priority:
    """Chooses low priority when roles use this database. `workers`: processes, or 0 to choose their number."""
    gentle = not full_speed and roles_run(dsn)
    if not gentle:
        return Priority(False, workers or PROCESSES, 2, dsn)
    given = psycopg.conninfo.conninfo_to_dict(dsn).get("options") or ""
    throttled = psycopg.conninfo.make_conninfo(dsn, options=f"{given} {NO_PARALLEL}".strip())
    return Priority(True, workers or 1, 1, throttled)


def roles_run(dsn: str) -> bool:
    """Returns whether a role has a session with this database."""
    with psycopg.connect(dsn, application_name="crm rebuild") as conn:
        return conn.execute(ROLES_RUN).fetchone() == (True,)


def lower_priority(pid: int) -> None:
    """Gives a process only spare processor time, as far as the operating system supports it."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, LAST)
    with suppress(OSError, AttributeError):  # Linux only
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    with suppress(OSError):  # with autogroups, niceness only counts within a session
        Path(f"/proc/{pid}/autogroup").write_text(str(LAST))
