"""The samples of each connector's own folder, received as the vendor sends them; what each means stands next to it.

`samples/NAME.json` (or another ending) is a body, `samples/NAME.expected.json` a list of what its facts say: any of
their fields, and `fact`, the name. A vendor's rehearse.py signs the body: `REHEARSAL.sign`.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from crm.connector import Connection
from crm.envelope import Fact
from crm.scalars import Micros
from services.connectors.rehearsal import Post, Rehearsal, rehearsals
from tests.support.connector_deliveries import NOW, connection
from tests.support.tools import ROOT

SEED = "samples"
EXPECTED = ".expected.json"
CAPTURED = Path(os.environ.get("CRM_PAYLOADS", ROOT.parent / "shared" / "payloads"))
NOT_BODIES = (EXPECTED, ".vector.json", ".vectors.json", "headers.txt", ".response.json", ".http.txt", ".INVALID.txt")


class OwnSample(NamedTuple):
    """A body, the vendor that sends it, and what its facts say; None for a captured one."""

    name: str
    vendor: str
    body: bytes
    expected: list[dict[str, Any]] | None

    @property
    def rehearsal(self) -> Rehearsal:
        return rehearsals()[self.vendor]

    @property
    def connection(self) -> Connection:
        rehearsal = self.rehearsal
        return connection(self.vendor, rehearsal.secret_of(SEED), **rehearsal.settings(SEED))

    @property
    def signs_body(self) -> bool:
        """Whether the proof covers the body, so that no byte of it can be changed."""
        assert self.rehearsal.sign
        first, second = (self.rehearsal.sign(SEED, self.body + more, NOW) for more in (b"", b" "))
        return first[0] != second[0] or self.body not in first[1]

    def post(self, body: bytes | None = None, at: int = NOW) -> Post:
        """The request, signed at a moment; with another body, signed for it."""
        assert self.rehearsal.sign
        return self.rehearsal.sign(SEED, self.body if body is None else body, Micros(at))


def signing_vendors() -> list[str]:
    return [name for name, rehearsal in rehearsals().items() if rehearsal.sign]


def own_samples() -> Iterator[OwnSample]:
    """Yields each sample of a vendor that can be rehearsed with any body. Raises where one does not say its meaning."""
    for vendor in signing_vendors():
        folder = ROOT / "services" / "connectors" / vendor.replace("-", "_") / "samples"
        for file in sorted(folder.glob("*")):
            if not file.name.endswith(EXPECTED):
                expected = json.loads((folder / (file.name.partition(".")[0] + EXPECTED)).read_text("utf-8"))
                yield OwnSample(f"{vendor}/{file.name}", vendor, file.read_bytes(), expected)


def captured_samples() -> Iterator[OwnSample]:
    """Yields the captured bodies of the same vendors, where they lie."""
    for vendor in signing_vendors():
        for file in sorted((CAPTURED / vendor).glob("*")):
            if not file.name.endswith(NOT_BODIES) and not file.name.startswith("resource."):
                yield OwnSample(f"{vendor}/{file.name}", vendor, file.read_bytes(), None)


def said_in(fact: Fact, names: Iterator[str] | list[str]) -> dict[str, Any]:
    """What a fact says in these fields; of a record in a field, what is not empty."""
    plain = msgspec.json.decode(msgspec.json.encode(fact))
    said = {name: plain[name] for name in names if name != "fact"}
    return {"fact": type(fact).__name__} | {
        name: {k: v for k, v in value.items() if v} if isinstance(value, dict) else value
        for name, value in said.items()
    }
