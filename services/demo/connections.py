"""The demo workspace's connections: their secrets follow from a random seed, so the demo can sign like the vendors."""

import hashlib

from services.connectors.rehearse import keys

CONNECTORS = ("form", "monobank", "monobank-personal", "liqpay", "binotel", "telegram")


def secret_of(connector: str, seed: str) -> str:
    """What the connection is declared with."""
    return keys(seed)[1] if connector == "monobank" else derived(connector, seed)


def derived(connector: str, seed: str) -> str:
    return hashlib.sha256(f"{connector}/{seed}".encode()).hexdigest()
