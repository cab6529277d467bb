"""Every read model: one a file, found by looking."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from crm.projection import Projection


def found() -> dict[str, Projection[Any]]:
    """All projections of this folder by name, in alphabetical order."""
    modules = (import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__))
    every = (p for module in modules for p in vars(module).values() if isinstance(p, Projection))
    return dict(sorted((p.name, p) for p in every))


PROJECTIONS = found()
