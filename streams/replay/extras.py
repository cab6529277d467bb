"""Imports optional packages that only analysts need, and says how to install a missing one."""

from importlib import import_module
from typing import Any


class NotInstalled(RuntimeError):
    """A package of the extra `analysts` is missing."""


def require_package(package: str) -> Any:
    """Imports and returns a package. Raises NotInstalled with the command that installs it."""
    try:
        return import_module(package)
    except ImportError:
        raise NotInstalled(
            f"This needs {package}, which is not installed. Nothing was read. Install the analysts' packages: "
            ".venv/bin/pip install -e '.[analysts]'."
        ) from None
