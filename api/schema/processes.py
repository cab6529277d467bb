"""The processes of the installation, as their supervisor says: which is ready, and how often each was restarted."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import GenericAlias
from typing import Any

import msgspec
import strawberry

from api.context import Info
from api.schema.fields import field
from api.schema.processing import permitted


class Part(msgspec.Struct):
    """A part of `stack.json`, which services/stack/state.py writes. What else is in the file stays unread."""

    name: str
    born: float
    state: str
    missing: str
    restarts: int


class Stack(msgspec.Struct):
    parts: list[Part]


@strawberry.type(description="A process of the installation.")
class StackProcess:
    name: str = strawberry.field(description="The role, with its number from the second replica on; kafka or postgres.")
    state: str = strawberry.field(description="starting, ready, unready, waiting (to be restarted) or stopped.")
    missing: str | None = strawberry.field(description="What it lacks to be ready, as text for people.")
    restarts: int = strawberry.field(description="How often it was restarted since the stack was started.")
    started_at: datetime | None = strawberry.field(description="When it was started last.")


async def processes(_: Any, info: Info) -> list[StackProcess] | None:
    file = permitted(info).stack
    return await asyncio.to_thread(read, file) if file else None


def read(file: Path) -> list[StackProcess] | None:
    """Returns None where no supervisor writes the file."""
    try:
        parts = msgspec.json.decode(file.read_bytes(), type=Stack).parts
    except (OSError, msgspec.DecodeError):
        return None
    return [
        StackProcess(
            name=one.name,
            state=one.state,
            missing=one.missing or None,
            restarts=one.restarts,
            started_at=datetime.fromtimestamp(one.born, UTC) if one.born else None,
        )
        for one in parts
    ]


PROCESSES = field(
    GenericAlias(list, StackProcess) | None,
    {},
    processes,
    "The processes that `crm up` runs; null where something else runs them. Needs the scope `connect`.",
)
