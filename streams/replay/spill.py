"""Stores evicted rows by key in a SQLite file next to the parts."""

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from crm.scalars import Id
from streams.rebuild.write.sink import Key, RowBatch

CREATE = "CREATE TABLE evicted (workspace TEXT, key TEXT, row BLOB, PRIMARY KEY (workspace, key)) WITHOUT ROWID"
TAKE = "DELETE FROM evicted WHERE (workspace, key) = (?, ?) RETURNING row"
BATCH_ROWS = 20_000
# The file is deleted whatever happens; with a cache of 32 MB, rows are stored and taken nearly twice as fast.
SETTINGS = "journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -32768"


class Spill:
    """A private file of one process. Rows are pickled, as an analyst's fold may put any value into them."""

    def __init__(self, path: Path, key: str) -> None:
        """Creates the file. `key`: the key field of the rows. All methods raise sqlite3.Error, as for a full disk."""
        self.path, self.key = path, key
        self.file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for setting in SETTINGS:
            self.file.execute(f"PRAGMA {setting}")
        self.file.execute(CREATE)

    def put(self, rows: RowBatch) -> None:
        """Stores rows."""
        pickled = ((workspace, getattr(row, self.key), pickle.dumps(row)) for workspace, row in rows)
        self.file.execute("BEGIN")
        self.file.executemany("INSERT INTO evicted VALUES (?, ?, ?)", pickled)
        self.file.execute("COMMIT")

    def take(self, keys: Iterable[Key]) -> RowBatch:
        """Removes and returns the stored rows that have one of these keys."""
        found = []
        self.file.execute("BEGIN")
        for key in keys:
            if row := self.file.execute(TAKE, key).fetchone():
                found.append((key[0], pickle.loads(row[0])))
        self.file.execute("COMMIT")
        return found

    def rest(self) -> Iterator[RowBatch]:
        """Yields the remaining rows in batches, then deletes the file."""
        left = self.file.execute("SELECT workspace, row FROM evicted")
        while some := left.fetchmany(BATCH_ROWS):
            yield [(Id(workspace), pickle.loads(row)) for workspace, row in some]
        self.file.close()
        self.path.unlink()
