"""What a worker is told: where to read, what to fold, where to write."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from crm.errors import Malformed
from crm.projection import Projection
from projections import PROJECTIONS
from streams.rebuild.fold.time_limit import line_of


class Spec(msgspec.Struct):
    """Offsets are of the topic, positions of the journal; `until` is not read any more."""

    bootstrap: str
    topic: str
    dsn: str
    schema: str  # in Postgres
    projections: tuple[str, ...]
    until: dict[int, int]  # position by partition
    begins: dict[int, tuple[int, int]] = {}  # offset and position by partition; the beginning where it has none
    file: str = ""  # that declares the projections; empty: the product's own
    archive: str = ""  # a folder: what it holds is not read from Kafka
    budget: int = 1 << 30  # bytes of rows in memory
    everything: bool = False  # decode all fields, read or not
    worker: str = "streams.rebuild.worker"  # the module that is run
    kept: str = "Nothing was swapped."


def load(names: Sequence[str], file: str = "", schema: str = "read") -> list[Projection[Any]]:
    """For tables in this schema. Raises Malformed when the file cannot be imported or has no such projection."""
    known = declared(file) if file else PROJECTIONS
    if missing := [name for name in names if name not in known]:
        has = ", ".join(known) or "none"
        raise Malformed(f"There is no projection {', '.join(missing)}. There are: {has}.")
    return [replace(known[name], schema=schema) for name in names]


def declared(file: str) -> dict[str, Projection[Any]]:
    """All projections of a Python file, by name. Never from compiled code: that is told apart by whole seconds."""
    try:
        code = compile(Path(file).read_text(), file, "exec")
    except (OSError, ValueError, SyntaxError) as error:
        raise Malformed(f"{file} cannot be read: {error}. Nothing was changed.") from error
    module = ModuleType(f"projection_file.{Path(file).stem}")
    sys.modules[module.__name__] = module
    try:
        exec(code, vars(module))
    except Exception as error:
        line = line_of(error, file)
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        where = f"{file}, line {line}" if line else file
        raise Malformed(f"{where}: {said.rstrip('.')}. Nothing was changed.") from error
    return {p.name: p for p in vars(module).values() if isinstance(p, Projection)}
