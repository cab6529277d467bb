"""Deliveries and connections for connector tests, at a fixed moment."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from crm.connector import Connection, Delivery
from crm.envelope import Fact
from crm.scalars import Id, Micros
from services.connectors import CONNECTORS
from tests.support.rehearse import Post
from tests.support.scenarios import SHOP

NOW = Micros(1_791_190_920_000_000)  # 2026-10-05T09:02:00Z
JSON = "application/json"


def connection(connector: str, secret: str = "TEST_secret", **settings: str) -> Connection:
    workspace, id = Id("00000000-0000-4000-8000-00000000000a"), Id("00000000-0000-4000-8000-00000000000b")
    return Connection(id, workspace, connector, secret, settings)


def delivery(post: Post, at: int = NOW) -> Delivery:
    headers, body = post
    return Delivery(headers, body, Micros(at))


def in_shop(connector: str, secret: str = "TEST_secret", **settings: str) -> Connection:
    """A connection of the workspace that stories are in."""
    return replace(connection(connector, secret, **settings), workspace=SHOP)


def sent(body: bytes, content_type: str, at: int = NOW) -> Delivery:
    """A request to the whole URL of a connection."""
    return Delivery({"content-type": content_type}, body, Micros(at), path="/in/1", base="https://crm.example.com")


def receive(connector: Connection, post: Post, at: int = NOW) -> list[Fact]:
    return CONNECTORS[connector.connector].receive(delivery(post, at), connector)


def only(connector: Connection, post: Post, at: int = NOW) -> Any:
    """The one fact that it gives."""
    (fact,) = receive(connector, post, at)
    return fact


def json_post(body: bytes) -> Post:
    return {"content-type": JSON}, body


def http_post(file: Path) -> Post:
    """A saved request: request line, headers, an empty line, the body."""
    head, _, body = file.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = (line.partition(": ") for line in head.decode().splitlines()[1:])
    headers = {name.lower(): value for name, _, value in lines}
    if "multipart" in headers["content-type"]:
        body = body.replace(b"\n", b"\r\n")
    return headers, body if "multipart" in headers["content-type"] else body.rstrip(b"\n")
