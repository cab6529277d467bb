"""Rows that memory has no room for: in SQLite beside the parts, where they are found again by their keys."""

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from crm.scalars import Id
from streams.rebuild.write.sink import Key, Lot

MADE = "CREATE TABLE aside (workspace TEXT, key TEXT, row BLOB, PRIMARY KEY (workspace, key)) WITHOUT ROWID"
LOT = 20_000  # rows
# It is thrown away whatever happens; with 32 MB of it in memory, rows are put in and taken out nearly twice as fast.
SETTINGS = "journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32768"


class Spill:
    """A file of one process that nobody else reads: rows as they are, whatever an analyst's fold put into them."""

    def __init__(self, path: Path, key: str) -> None:
        """`key`: the rows' field. Raises sqlite3.Error when the disk does not take it, as all methods do."""
        self.path, self.key = path, key
        self.file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in SETTINGS:
            self.file.execute(f"PRAGMA {setting}")
        self.file.execute(MADE)

    def put(self, rows: Lot) -> None:
        told = ((workspace, getattr(row, self.key), pickle.dumps(row)) for workspace, row in rows)
        self.file.execute("BEGIN")
        self.file.executemany("INSERT INTO aside VALUES (?, ?, ?)", told)
        self.file.execute("COMMIT")

    def take(self, keys: Iterable[Key]) -> Lot:
        """Those of these that are there; here they are forgotten."""
        found = []
        self.file.execute("BEGIN")
        for key in keys:
            if row := self.file.execute(
                "DELETE FROM aside WHERE (workspace, key) = (?, ?) RETURNING row", key
            ).fetchone():
                found.append((key[0], pickle.loads(row[0])))
        self.file.execute("COMMIT")
        return found

    def rest(self) -> Iterator[Lot]:
        """All that are left, some at a time. The file is gone afterwards."""
        left = self.file.execute("SELECT workspace, row FROM aside")
        while some := left.fetchmany(LOT):
            yield [(Id(workspace), pickle.loads(row)) for workspace, row in some]
        self.file.close()
        self.path.unlink()
