"""The samples that lie in a connector's own folder: a new vendor is swept by them without a test of its own.

`samples/` holds bodies, named after their event; the ending says how they are sent. `calls.json` there says what they
mean together: settings of the connection, and what of each call is shown once all of them came.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from crm.connector import Connection, Delivery
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED
from services.connectors.rehearsal import rehearsals
from tests.support.connector_deliveries import JSON, NOW, connection
from tests.support.scenarios import SHOP
from tests.support.tools import ROOT

SECRET = "TEST_own-samples"
TYPES = {".json": JSON, ".form": URLENCODED, ".csv": "text/csv", ".txt": "text/plain"}
MEANING = "calls.json"


class Own(NamedTuple):
    """A vendor with samples: what it sends, unsigned, by the name of the file, and what that means."""

    vendor: str
    connection: Connection
    bodies: dict[str, Delivery]
    calls: dict[str, dict[str, Any]]

    def signed(self, delivery: Delivery, secret: str = SECRET) -> Delivery:
        sign = rehearsals()[self.vendor].signed
        assert sign, self.vendor
        return sign(delivery, secret)


def in_shop(vendor: str, secret: str = SECRET, **settings: str) -> Connection:
    """Returns a connection of the workspace that stories are in."""
    return dataclasses.replace(connection(vendor, secret, **settings), workspace=SHOP)


def folder(vendor: str) -> Path:
    return ROOT / "services" / "connectors" / vendor.replace("-", "_") / "samples"


def sent(body: bytes, content_type: str, at: int = NOW) -> Delivery:
    return Delivery({"content-type": content_type}, body, Micros(at), base="https://crm.example.com", path="/in/1")


def own_samples() -> Iterator[Own]:
    """Yields every vendor with samples that say what they mean."""
    for vendor in CONNECTORS:
        if (folder(vendor) / MEANING).is_file():
            meaning = json.loads((folder(vendor) / MEANING).read_text("utf-8"))
            files = sorted(file for file in folder(vendor).iterdir() if file.name != MEANING)
            bodies = {file.name: sent(file.read_bytes(), TYPES[file.suffix]) for file in files}
            yield Own(vendor, in_shop(vendor, **meaning.get("settings", {})), bodies, meaning["calls"])
