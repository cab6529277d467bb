"""Read models: one projection a file, discovered by scanning this folder."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from crm.projection import Projection


def discover() -> dict[str, Projection[Any]]:
    """Returns all projections of this folder by name, in alphabetical order."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    every = (p for module in modules for p in vars(module).values() if isinstance(p, Projection))
    return dict(sorted((p.name, p) for p in every))


PROJECTIONS = discover()
