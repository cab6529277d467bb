"""One file per command, found by looking. Its `PANEL` is its heading in `crm --help`, its `RANK` its place there."""

from types import ModuleType

PANELS = ("Run", "Connect", "Look", "History", "Operate", "Develop")


def order_of(command: ModuleType) -> tuple[int, int]:
    """Sort key of a command's module. Commands without a rank follow in alphabetical order."""
    return PANELS.index(panel_of(command)), getattr(command, "RANK", 9)


def panel_of(command: ModuleType) -> str:
    return getattr(command, "PANEL", "Operate")
