"""The samples of all vendors with what they mean: `services/connectors/<vendor>/samples/`.

`NAME.http` is a request of ours in the vendor's form, `NAME.facts.json` next to it what it means. `captured.json` says
the same of the samples in CRM_PAYLOADS, by their file. Both say everything but defaults:

    {"settings": {"token": "T"}, "signed": false, "facts": [{"type": "FormSubmitted", "key": "tranid/1:2", ...}]}

`key` is the idempotency key, `occurred_at` the time where it is not that of arrival; `signed: false` is for a request
that proves itself otherwise than `rehearse.py` signs.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from crm.connector import Connection, Delivery
from crm.envelope import Fact, named_id
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.rehearsal import Post, rehearsals
from tests.support.connector_deliveries import NOW, connection, http_post
from tests.support.tools import ROOT
from tests.support.vendor_samples import FOLDER

SECRET = "TEST_secret"
NOT_COMPARED = ("meta", "raw", "digest")


class SweptSample(NamedTuple):
    """One request of a vendor, not signed yet, and what it means."""

    id: str
    connection: Connection
    post: Post
    query: str
    signed: bool
    facts: list[dict[str, Any]]

    def __repr__(self) -> str:
        return self.id


def swept() -> list[SweptSample]:
    """Every sample that has its meaning next to it."""
    found: list[SweptSample] = []
    for name in rehearsals():
        folder = ROOT / "services" / "connectors" / name.replace("-", "_") / "samples"
        for file in sorted(folder.glob("*.http")):
            meaning = json.loads(file.with_name(f"{file.stem}.facts.json").read_text("utf-8"))
            found.append(_sample(f"{name}/{file.stem}", name, file, meaning))
        captured = folder / "captured.json"
        meanings = json.loads(captured.read_text("utf-8")) if captured.is_file() and FOLDER.is_dir() else {}
        for path, meaning in meanings.items():
            found.append(_sample(path, name, FOLDER / path, meaning))
    return found


def _sample(id: str, name: str, file: Path, meaning: dict[str, Any]) -> SweptSample:
    if file.suffix in (".http", ".txt"):
        post, query = http_post(file), file.read_bytes().split(b"\n", 1)[0].decode().split()[1].partition("?")[2]
    else:
        post, query = rehearsals()[name].wire(file.read_bytes()), ""
    own = connection(name, SECRET, **meaning.get("settings", {}))
    return SweptSample(id, own, post, query, meaning.get("signed", True), meaning["facts"])


def delivered(sample: SweptSample, at: int = NOW, *, signed_at: int = 0, body: bytes | None = None) -> Delivery:
    """The request as the vendor sends it: signed now, or at another time, with its own body or another."""
    headers, own = sample.post
    post = headers, own if body is None else body
    if sample.signed:
        post = rehearsals()[sample.connection.connector].prove(SECRET, post, signed_at or at // 1_000_000)
    return Delivery(post[0], post[1], Micros(at), sample.query, path="/in/1", base="https://crm.example.com")


def received(sample: SweptSample, delivery: Delivery) -> list[Fact]:
    return CONNECTORS[sample.connection.connector].receive(delivery, sample.connection)


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
        for name, value in msgspec.to_builtins(fact).items():
            if name not in NOT_COMPARED and value not in (None, "", (), [], {}, False):  # what is the default
                one[name] = value
        said.append(json.loads(json.dumps(one)))
    return said


def bodies_cut(body: bytes) -> Iterator[bytes]:
    """The body cut off at sixteen places."""
    for part in range(1, 17):
        yield body[: len(body) * part // 17]


def bodies_changed(body: bytes) -> Iterator[bytes]:
    """The body with one bit changed at each of 24 places."""
    for part in range(24):
        place = len(body) * part // 24
        yield body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
