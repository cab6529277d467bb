"""`python -m streams.rebuild.golden [write]`: checks that each fold yields what its version yielded when committed.

projections/golden.json holds digests of the rows that every version makes of the golden records. A fold that yields
other rows must get a new version; otherwise one table would mix the rows of two folds.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import projections
from crm.golden_rows import DIGEST_VERSION, GoldenRows, difference, golden_rows
from crm.projection import Projection
from projections import PROJECTIONS

FILE = Path(projections.__file__).with_name("golden.json")
Kept = dict[str, GoldenRows]  # by table, which is the name and version of a projection


def read(file: Path = FILE) -> Kept:
    """Reads the committed digests. Returns {} when they were computed differently, so that all are computed again."""
    content = json.loads(file.read_text()) if file.exists() else {}
    if content.get("way") != DIGEST_VERSION:
        return {}
    return {table: GoldenRows(**digests) for table, digests in content["versions"].items()}


def problems(kept: Kept, every: Iterable[Projection[Any]]) -> Iterator[str]:
    """Yields a sentence for each projection that is missing or differs."""
    for projection in every:
        name, table = projection.name, projection.table
        if table not in kept:
            yield f"{FILE.name} has no digests of {table}. Run `make events`."
        elif changed := difference(projection, kept[table]):
            yield (
                f"{changed} Raise `version` in projections/{name}.py, then run `make events`. "
                f"If version {projection.version} was in no release, remove {table} from projections/{FILE.name} "
                "instead."
            )


def extended(kept: Kept, every: Iterable[Projection[Any]]) -> Kept:
    """Returns the digests with those of new versions and schemas. Old versions stay, so no number is used twice."""
    found = dict(kept)
    for projection in every:
        table = projection.table
        if table not in kept or not difference(projection, kept[table]):
            found[table] = golden_rows(projection)
    return dict(sorted(found.items()))


def write(kept: Kept, file: Path = FILE) -> None:
    """Writes the digests."""
    content = {"way": DIGEST_VERSION, "versions": {table: digests._asdict() for table, digests in kept.items()}}
    file.write_text(json.dumps(content, indent=1) + "\n")


def main(words: list[str]) -> int:
    if words == ["write"]:
        write(extended(read(), PROJECTIONS.values()))
    sentences = list(problems(read(), PROJECTIONS.values()))
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return bool(sentences)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
