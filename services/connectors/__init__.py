"""Every connector, one vendor a folder, found by looking: a folder whose package has a CONNECTOR."""

from importlib import import_module
from pkgutil import iter_modules

from crm.connector import Connector


def found() -> dict[str, Connector]:
    """By name, in alphabetical order. Raises ValueError when two folders declare the same name."""
    connectors: dict[str, Connector] = {}
    for folder in iter_modules(__path__):
        if folder.ispkg and (made := getattr(import_module(f"{__name__}.{folder.name}"), "CONNECTOR", None)):
            if made.name in connectors:
                raise ValueError(f"Two folders of services/connectors declare {made.name!r}: give one another name.")
            connectors[made.name] = made
    return connectors


CONNECTORS = found()
