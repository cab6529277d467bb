"""Time zones come from the pinned `tzdata` package, so a rule decides an hour alike on every machine.

`zoneinfo.ZoneInfo(name)` prefers the files of the system to the package (Python 3.11 to 3.14, `zoneinfo.TZPATH`), and
polars has rules of its own: neither decides anything here. A law in tests/test_architecture.py keeps it so.
"""

from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo

from crm.errors import Malformed


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Every zone of the package, its old names too."""
    return frozenset(files("tzdata").joinpath("zones").read_text().split())


def exists(name: str) -> bool:
    return name in names()


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """Raises Malformed for a name that the package does not have."""
    if not exists(name):
        raise Malformed(f"There is no time zone {name!r}. Nothing was kept. Write one such as Europe/Kyiv or UTC.")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def of_workspace(name: str) -> ZoneInfo:
    """A workspace's zone; UTC where the package does not have it, as of a workspace that an older release made."""
    return zone(name if exists(name) else "UTC")


def release() -> str:
    """The version of the package that decides, such as 2026.6."""
    return version("tzdata")
