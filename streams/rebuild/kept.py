"""Keeps what a rebuild does and found, for people: `rebuilds` in GraphQL and the console show it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec
import psycopg

from crm.rebuilds import CUT_OFF
from streams.rebuild.compare.shadow import ShadowReport
from streams.rebuild.failures import sentence

MOST = 100
BEGIN = """
WITH old AS (DELETE FROM core.rebuild WHERE id <= (SELECT id FROM core.rebuild ORDER BY id DESC OFFSET %s LIMIT 1)),
cut AS (UPDATE core.rebuild SET ended_at = now(), problem = %s WHERE ended_at IS NULL AND names && %s::text[])
INSERT INTO core.rebuild (names) VALUES (%s) RETURNING id"""
STEP = "UPDATE core.rebuild SET step = %s WHERE id = %s"
END = """
UPDATE core.rebuild SET ended_at = now(), problem = %s, events = %s, rows = %s, reports = %s WHERE id = %s"""


class KeptRebuild:
    """One rebuild, by its id. What cannot be written is left out: a rebuild does not fail for its report."""

    def __init__(self, dsn: str, id: int) -> None:
        self.dsn, self.id = dsn, id
        self.events = 0
        self.rows: dict[str, int] = {}  # by table
        self.reports: dict[str, ShadowReport] = {}

    def step(self, name: str) -> None:
        self.write(STEP, name, self.id)

    def end(self, problem: str = "") -> None:
        reports, rows = (msgspec.json.encode(found).decode() for found in (self.reports, self.rows))
        self.write(END, problem, self.events, rows, reports, self.id)

    def write(self, statement: str, *values: object) -> None:
        with suppress(psycopg.Error), psycopg.connect(self.dsn, application_name="crm rebuild") as conn:
            conn.execute(statement.encode(), values)


@contextmanager
def kept_rebuild(dsn: str, names: Sequence[str]) -> Iterator[KeptRebuild]:
    """Keeps a rebuild of which the caller holds the lock: an earlier one of these names that has no end was cut off."""
    with psycopg.connect(dsn, application_name="crm rebuild") as conn:
        ((id,),) = conn.execute(BEGIN, [MOST, CUT_OFF, list(names), list(names)]).fetchall()
    kept = KeptRebuild(dsn, id)
    try:
        yield kept
    except BaseException as error:
        kept.end(sentence(error) if isinstance(error, Exception) else CUT_OFF)
        raise
    kept.end()
