"""Imports the projections of a Python file, for a rebuild or a replay, and says what is wrong with it in a sentence."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from crm.errors import Malformed
from crm.projection import Projection
from streams.rebuild.fold.time_limit import line_of, work_limit

PATIENCE = 20.0  # seconds of processor time that the import may take
EXAMPLE = "docs/replay.md has one to copy."


def projections_in(path: str | Path, kept: str = "Nothing was changed.") -> dict[str, Projection[Any]]:
    """Returns the projections that a file declares, by name. Raises Malformed with the line; `kept` ends the sentence.

    Compiles the source itself, as Python's cache tells versions of a file apart only by whole seconds and would leave a
    __pycache__ in an analyst's folder.
    """
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        raise Malformed(f"There is no file {path}. {kept}")
    if file.suffix != ".py":
        raise Malformed(f"{path} is not a Python file: its name must end in .py. {kept}")
    module = ModuleType(f"projections_of_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # where type annotations and pickled rows are looked up
    try:
        with work_limit(PATIENCE):
            exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), vars(module))
    except SyntaxError as error:
        where = f"line {error.lineno}" if error.filename == str(file) else f"{error.filename}, line {error.lineno}"
        raise Malformed(f"{path}, {where}: {error.msg}. {kept}") from None
    except Exception as error:
        line = line_of(error, str(file))
        where = f"{path}, line {line}" if line else f"{path}"
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise Malformed(f"{where}: {reason.rstrip('.')}. {kept}") from error
    found = {p.name: p for p in vars(module).values() if isinstance(p, Projection)}
    if not found:
        raise Malformed(f"{path} declares no projection: a function under `@projection(key=…, version=1)`. {EXAMPLE}")
    return found
