"""Gives an id and golden records to each changed schema, and refuses what breaks readers.

`python -m crm.contract.publishing` does it.

`--reset` forgets every id and starts from scratch. It works only before the first release: once schemas/avro/RELEASED
exists (the release writes its version into it) records are in somebody's log, and it refuses.
"""

import json
import shutil
import sys
from pathlib import Path

from crm.contract import golden
from crm.contract.evolution import broken
from crm.contract.generate import SCHEMAS
from crm.contract.registry import registered, todays, unpublished
from crm.errors import Broken


def publish(root: Path = SCHEMAS) -> list[str]:
    """Give the next id to each schema that is new or changed; returns their names. Raises Broken and writes nothing."""
    if sentences := broken(root):
        raise Broken("\n".join((*sentences, "Nothing was published.")))
    today = todays(root)
    entries = [{"id": e.id, "name": e.name, "schema": e.schema} for e in registered(root)]
    fresh = unpublished(root)
    entries += [{"id": i, "name": name, "schema": today[name]} for i, name in enumerate(fresh, len(entries) + 1)]
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (root / "registry.json").write_text(f"[\n{lines}\n]\n")
    for entry in registered(root)[len(entries) - len(fresh) :]:
        golden.write(entry, root)
    return fresh


def reset(root: Path = SCHEMAS) -> None:
    """Forget every id and golden record. Raises Broken after the first release."""
    if (root / "RELEASED").exists():
        raise Broken("Ids were released: logs contain them, and they cannot be assigned again. Nothing was changed.")
    (root / "registry.json").unlink(missing_ok=True)
    shutil.rmtree(root / "golden", ignore_errors=True)


def main(arguments: list[str] | None = None, root: Path = SCHEMAS) -> None:
    """Prints the names that got an id. Exits 1 with the sentences when a change would break readers."""
    try:
        if "--reset" in (sys.argv[1:] if arguments is None else arguments):
            reset(root)
        print("\n".join(publish(root)) or "nothing changed")
    except Broken as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
