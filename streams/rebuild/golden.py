"""`python -m streams.rebuild.golden [write]`: holds each fold against what its version gave when it was committed.

projections/golden.json keeps digests of the rows that every version made of the golden records. A fold that gives other
rows is another version; without it, rows of two folds would stand in one table.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import projections
from crm.golden_rows import WAY, Gold, difference, gold
from crm.projection import Projection
from projections import PROJECTIONS

FILE = Path(projections.__file__).with_name("golden.json")
Kept = dict[str, Gold]  # by table: name and version


def read(file: Path = FILE) -> Kept:
    """Nothing of digests that were made in another way: all are made anew then."""
    told = json.loads(file.read_text()) if file.exists() else {}
    return {table: Gold(**one) for table, one in told.get("versions", {}).items()} if told.get("way") == WAY else {}


def wrong(kept: Kept, every: Iterable[Projection[Any]]) -> Iterator[str]:
    """A sentence each."""
    for projection in every:
        name, table = projection.name, projection.table
        if table not in kept:
            yield f"{FILE.name} has nothing of {table}. Run `make events`."
        elif said := difference(projection, kept[table]):
            yield (
                f"{said} Raise `version` in projections/{name}.py, then run `make events`. "
                f"If version {projection.version} was in no release, take {table} out of projections/{FILE.name} "
                "instead."
            )


def grown(kept: Kept, every: Iterable[Projection[Any]]) -> Kept:
    """With versions and shapes that are new. What a version gave stays, so that no number is used twice."""
    found = dict(kept)
    for projection in every:
        table = projection.table
        if table not in kept or not difference(projection, kept[table]):
            found[table] = gold(projection)
    return dict(sorted(found.items()))


def write(kept: Kept, file: Path = FILE) -> None:
    told = {"way": WAY, "versions": {table: one._asdict() for table, one in kept.items()}}
    file.write_text(json.dumps(told, indent=1) + "\n")


def main(words: list[str]) -> int:
    if words == ["write"]:
        write(grown(read(), PROJECTIONS.values()))
    sentences = list(wrong(read(), PROJECTIONS.values()))
    for said in sentences:
        print(said, file=sys.stderr)
    return bool(sentences)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
