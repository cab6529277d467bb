"""Packages that only analysts need: named with how to install them when they are not there."""

from importlib import import_module
from typing import Any


class NotInstalled(RuntimeError):
    """A package of the extra `analysts` is missing."""


def needed(package: str) -> Any:
    """The package. Raises NotInstalled."""
    try:
        return import_module(package)
    except ImportError:
        raise NotInstalled(
            f"This needs {package}, which is not installed. Nothing was read. Install the analysts' packages: "
            "pip install 'potik[analysts]'."
        ) from None
