"""The samples of all connectors with what they mean: `services/connectors/<vendor>/samples/`.

`NAME.http` is a request of ours in the vendor's form, `NAME.json` (or another ending) a body of one; `NAME.facts.json`
next to it says what it means. `captured.json` says the same of the samples in CRM_PAYLOADS, by their path. Both say
everything but defaults:

    {"settings": {"token": "T"}, "signed": false, "facts": [{"type": "FormSubmitted", "key": "tranid/1:2", ...}]}

`key` is the idempotency key, `occurred_at` the time where it is not that of arrival; `signed: false` is for a request
that proves itself otherwise than `rehearse.py` signs. `calls.json` says what the calls of all samples come to together.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from crm.connector import Connection, Delivery
from crm.envelope import Fact, named_id
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.formats.bodies import URLENCODED
from services.connectors.rehearsal import JSON, Rehearsal, rehearsals
from tests.support.connector_deliveries import NOW, http_post, in_shop, sent
from tests.support.tools import ROOT
from tests.support.vendor_samples import FOLDER

SEED = "samples"
TYPES = {".json": JSON, ".form": URLENCODED, ".csv": "text/csv", ".txt": "text/plain", ".xml": "application/xml"}
TYPES |= {".eml": "message/rfc822"}
MEANING, CALLS, CAPTURED = ".facts.json", "calls.json", "captured.json"
NOT_BODIES: tuple[str, ...] = tuple(
    [".vector.json", ".vectors.json", ".response.json", "response_example.json", ".INVALID.txt"]
)
NOT_BODIES += ("headers.txt", "README.txt", "handshake.http.txt")
NOT_COMPARED = ("meta", "raw", "digest")


class ConnectorSample(NamedTuple):
    """One request of a vendor, not signed yet, and what it means; None for a captured one that does not say."""

    id: str
    connection: Connection
    delivery: Delivery
    signed: bool
    facts: list[dict[str, Any]] | None

    def __repr__(self) -> str:
        return self.id

    @property
    def vendor(self) -> str:
        return self.connection.connector

    @property
    def rehearsal(self) -> Rehearsal:
        return rehearsals()[self.vendor]

    def sent(self, at: int = NOW, *, signed_at: int = 0, body: bytes | None = None, seed: str = SEED) -> Delivery:
        """The request as the vendor sends it: signed now, or at another time, with its own body or another."""
        own = self.delivery if body is None else structs.replace(self.delivery, body=body)
        proven = structs.replace(own, received_at=Micros(signed_at or at))
        return structs.replace(self.signed_again(proven, seed), received_at=Micros(at))

    def signed_again(self, delivery: Delivery, seed: str = SEED) -> Delivery:
        return self.rehearsal.sign(delivery, seed) if self.signed else delivery

    def received(self, delivery: Delivery) -> list[Fact]:
        return CONNECTORS[self.vendor].receive(delivery, self.connection)


def folder_of(vendor: str) -> Path:
    return ROOT / "services" / "connectors" / vendor.replace("-", "_") / "samples"


def connector_samples() -> Iterator[ConnectorSample]:
    """Yields every sample that has its meaning next to it."""
    for vendor in rehearsals():
        folder = folder_of(vendor)
        for file in sorted(folder.glob("*")):
            if file.is_file() and not file.name.endswith((MEANING, CALLS, CAPTURED)):
                yield _sample(f"{vendor}/{file.name}", vendor, file, _meaning(folder / f"{file.stem}{MEANING}"))
        captured = folder / CAPTURED
        for path, meaning in (_meaning(captured) if captured.is_file() and FOLDER.is_dir() else {}).items():
            yield _sample(path, vendor, FOLDER / path, meaning)


def captured_samples() -> Iterator[ConnectorSample]:
    """Yields the captured requests of the vendors with samples of their own, where they lie."""
    for vendor, rehearsal in rehearsals().items():
        if not folder_of(vendor).is_dir() or (folder_of(vendor) / CAPTURED).is_file():
            continue
        folders = [FOLDER / name for name in (rehearsal.captured or vendor).split()]
        for file in sorted(file for folder in folders for file in folder.glob("*")):
            if not file.name.endswith(NOT_BODIES) and not file.name.startswith("resource."):
                yield _sample(f"{vendor}/{file.name}", vendor, file, {})


def calls_meant() -> dict[str, dict[str, Any]]:
    """Returns the vendors of calls, with what the calls of all their samples come to."""
    return {vendor: _meaning(file) for vendor in CONNECTORS if (file := folder_of(vendor) / CALLS).is_file()}


def _meaning(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _sample(id: str, vendor: str, file: Path, meaning: dict[str, Any]) -> ConnectorSample:
    own, query = rehearsals()[vendor], ""
    body = file.read_bytes()
    if body.startswith(b"POST /"):
        query = body.split(b"\n", 1)[0].decode().split()[1].partition("?")[2]
        headers, body = http_post(file)
    elif file.parent.parent == FOLDER and file.suffix == ".json":
        headers, body = own.wire(body)
    else:
        headers = {"content-type": TYPES[file.suffix]}
    settings = {**own.settings(SEED), **meaning.get("settings", {})}
    delivery = structs.replace(sent(body, headers["content-type"]), headers=headers, query=query)
    who = in_shop(vendor, own.secret_of(SEED), **settings)
    return ConnectorSample(id, who, delivery, meaning.get("signed", True), meaning.get("facts"))


def meant(facts: list[Fact], expected: list[dict[str, Any]], own: Connection, came: int = NOW) -> list[dict[str, Any]]:
    """What facts say, in the form of `NAME.facts.json`. Of the key, the one that is expected if it is the right one."""
    said = []
    for number, fact in enumerate(facts):
        one: dict[str, Any] = {"type": type(fact).__name__}
        key = expected[number].get("key") if number < len(expected) else None
        if key is not None:
            one["key"] = key if fact.meta.id == named_id(own.id, key) else f"another: {fact.meta.id}"
        if fact.meta.occurred_at != came:
            one["occurred_at"] = datetime.fromtimestamp(fact.meta.occurred_at / 1e6, UTC).isoformat()
        fields = json.loads(msgspec.json.encode(fact))
        one |= not_default({name: value for name, value in fields.items() if name not in NOT_COMPARED})
        said.append(one)
    return said


def not_default(value: Any) -> Any:
    """What says something: without the fields that are empty."""
    if isinstance(value, list):
        return [not_default(one) for one in value]
    if not isinstance(value, dict):
        return value
    said = {name: not_default(one) for name, one in value.items()}
    return {name: one for name, one in said.items() if one not in (None, "", [], {}, False)}
