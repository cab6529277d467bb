"""Answers as each vendor is asked to send them, and what it says to that: `<vendor>/samples/replies`.

`NAME.json` has the settings, the reply, the request that it becomes, and answers of the vendor with their outcome:

    {"settings": {"token": "T"}, "reply": {"chat": "77", "text": "Hi"}, "files": ["text of a file"],
     "request": {"method": "POST", "url": ..., "headers": {...}, "json": {...}},
     "answers": [{"status": 200, "json": {...}, "outcome": {"accepted": "42"}}]}

An outcome is `accepted` with the vendor's id, `failed`, `later` with seconds, or `uncertain`, each with its reason.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from crm.connector import Connection, Connector
from crm.connector_send import Accepted, Ask, Failed, Later, Outcome, Page, Send, Sending
from crm.events import ReplyQueued
from services.connectors import CONNECTORS
from tests.support.connector_samples import folder_of
from tests.support.scenarios import CONNECTION, NOON, SHOP

MESSAGE = "a3e0b8c4-5d2f-5b7a-9c1e-2f4d6a8b0c11"
CHAT = "b4f1c9d5-6e30-5c8b-8d2f-3a5e7b9c1d22"
SECRET = "TEST-secret"


class SentSample(NamedTuple):
    """One reply, its request and what may be answered."""

    id: str
    vendor: str
    whole: dict[str, Any]

    @property
    def connector(self) -> Connector:
        return CONNECTORS[self.vendor]

    @property
    def send(self) -> Send:
        assert self.connector.send
        return self.connector.send

    @property
    def sending(self) -> Sending:
        return sending_of(self.vendor, self.whole)

    @property
    def answers(self) -> list[tuple[Page, dict[str, Any]]]:
        ask = self.send.request(self.sending)
        return [(page_of(ask, said), said["outcome"]) for said in self.whole["answers"]]


def sending_of(vendor: str, whole: dict[str, Any]) -> Sending:
    at = {"id": MESSAGE, "workspace": SHOP, "stream": CHAT, "occurred_at": NOON, "recorded_at": NOON}
    ids = {"message_id": MESSAGE, "conversation_id": CHAT, "contact_id": CHAT, "connection_id": CONNECTION}
    meta = {**at, "source": CONNECTION, "cause": MESSAGE}
    reply = msgspec.convert({"meta": meta, **ids, "connector": vendor, **whole["reply"]}, ReplyQueued)
    connection = Connection(CONNECTION, SHOP, vendor, SECRET, whole.get("settings", {}))
    return Sending(reply, connection, tuple(text.encode() for text in whole.get("files", ())))


def page_of(ask: Ask, said: dict[str, Any]) -> Page:
    body = json.dumps(said["json"]).encode() if "json" in said else said.get("body", "").encode()
    return Page(ask, body, NOON, said.get("headers", {}), said.get("status", 200))


def request_of(send: Send, sending: Sending) -> dict[str, Any]:
    """Returns a request as a sample says it."""
    ask = send.request(sending)
    base = send.base(sending.connection) if callable(send.base) else send.base
    said: dict[str, Any] = {"method": ask.method, "url": base + ask.path, "headers": dict(ask.headers)}
    if ask.headers.get("content-type") == "application/json":
        return said | {"json": json.loads(ask.body)}
    return said | {"body": ask.body.decode()}


def reported(outcome: Outcome) -> dict[str, Any]:
    """Returns an outcome as a sample says it."""
    match outcome:
        case Accepted():
            return {"accepted": outcome.message}
        case Failed():
            return {"failed": outcome.reason}
        case Later():
            return {"later": outcome.seconds, "reason": outcome.reason}
        case _:
            return {"uncertain": outcome.reason}


@cache
def sent_samples() -> list[SentSample]:
    return list(_found())


def _found() -> Iterator[SentSample]:
    for vendor, connector in CONNECTORS.items():
        if connector.send:
            for file in sorted((folder_of(vendor) / "replies").glob("*.json")):
                yield SentSample(f"{vendor}/{file.stem}", vendor, json.loads(file.read_text("utf-8")))
