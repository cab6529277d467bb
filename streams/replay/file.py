"""An analyst's projection file: imported, checked, and told what is wrong with it in a sentence with its line."""

import importlib.util
import sys
import traceback
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from crm.errors import Malformed
from crm.projection import Projection
from streams.rebuild.fold.time_limit import limited

PATIENCE = 20.0  # seconds of work that the import of a file may take
NOTHING = "Nothing was read."
LOOK = "docs/replay.md has one to copy."


class Unwritten(SourceFileLoader):
    """Leaves no __pycache__ in an analyst's folder."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Does nothing."""


def declared(path: Path) -> dict[str, Projection[Any]]:
    """Its projections by name. Raises Malformed."""
    file = path.expanduser().absolute()
    if not file.is_file():
        raise Malformed(f"There is no file {path}. {NOTHING}")
    name = f"projections_of_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file, loader=Unwritten(name, str(file)))
    if file.suffix != ".py" or not spec or not spec.loader:
        raise Malformed(f"{path} is no Python file: its name ends in .py. {NOTHING}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where annotations are looked up
    try:
        with limited(PATIENCE):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        where = f"line {error.lineno}" if error.filename == str(file) else f"{error.filename}, line {error.lineno}"
        raise Malformed(f"{path}, {where}: {error.msg}. {NOTHING}") from None
    except Exception as error:
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise Malformed(f"{path}{line_in(file, error)}: {said.rstrip('.')}. {NOTHING}") from error
    found = [value for value in vars(module).values() if isinstance(value, Projection)]
    if not found:
        raise Malformed(f"{path} declares no projection: a function under `@projection(key=…, version=1)`. {LOOK}")
    return {projection.name: projection for projection in found}


def line_in(file: Path, error: BaseException) -> str:
    """The last line of this file that the error came through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f", line {lines[-1]}" if lines else ""
