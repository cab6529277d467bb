"""How a rebuild behaves beside live traffic: it takes what the roles leave of the processors.

Postgres's own processes cannot be told to wait, so beside roles there are fewer of them: one process that folds, one
index at a time, none in parallel.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psycopg

# The API names its sessions, `crm up` those of every role. What is made from empty is beside the roles of the present.
ROLES_RUN = """
SELECT EXISTS (SELECT FROM pg_stat_activity
WHERE datname IN (current_database(), regexp_replace(current_database(), '_rebuilt$', ''))
AND application_name ~ '^(potik api|crm (api|decide|relay|project))')"""
ALONE = "-c max_parallel_maintenance_workers=0 -c max_parallel_workers_per_gather=0"
LAST = 19  # niceness
PROCESSES = 2  # that fold, when nobody else works


class Manners(NamedTuple):
    """`gentle`: it gives way. `at_once`: how many indexes are made at the same time."""

    gentle: bool
    workers: int
    at_once: int
    dsn: str


def choose(dsn: str, workers: int, full_speed: bool) -> Manners:
    """Gives way when roles use this database. `workers` as asked for; 0: as is fit."""
    gentle = not full_speed and roles_run(dsn)
    if not gentle:
        return Manners(False, workers or PROCESSES, 2, dsn)
    given = psycopg.conninfo.conninfo_to_dict(dsn).get("options") or ""
    return Manners(True, workers or 1, 1, psycopg.conninfo.make_conninfo(dsn, options=f"{given} {ALONE}".strip()))


def roles_run(dsn: str) -> bool:
    with psycopg.connect(dsn, application_name="crm rebuild") as conn:
        return conn.execute(ROLES_RUN).fetchone() == (True,)


def give_way(pid: int) -> None:
    """That process runs when nobody else wants to. Where the system knows no such thing it runs as before."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, LAST)
    with suppress(OSError, AttributeError):  # Linux alone
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    with suppress(OSError):  # where sessions share the processors, niceness counts inside of one only
        Path(f"/proc/{pid}/autogroup").write_text(str(LAST))
