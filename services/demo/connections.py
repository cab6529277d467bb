"""The demo workspace's connections: their secrets follow from a random seed, so the demo can sign like the vendors."""

from collections.abc import Mapping
from typing import Any

from services.connectors.rehearsal import Post, rehearsals

CONNECTORS = tuple(name for name, vendor in rehearsals().items() if vendor.actions)  # what its stories come through


def secret_of(connector: str, seed: str) -> str:
    """Returns the secret that a connection of the demo is declared with."""
    return rehearsals()[connector].secret_of(seed)


def settings_of(connector: str, seed: str) -> Mapping[str, str]:
    """Returns the settings that a connection of the demo is declared with."""
    return rehearsals()[connector].settings(seed)


def rehearsed(action: str, seed: str, /, *about: Any) -> tuple[str, Post, bytes | None]:
    """Returns a connector that can act this out, its request, and the answer that its vendor expects if it has one."""
    name, vendor = next((name, vendor) for name, vendor in rehearsals().items() if action in vendor.actions)
    return name, vendor.actions[action](seed, *about), vendor.answer
