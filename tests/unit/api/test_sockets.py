"""A client that does not read is let go, one that reads slowly is not."""

import asyncio
from typing import Any

import pytest

from api import sockets
from api.sockets import SLOW, patient


async def receive() -> dict[str, Any]:
    return {}


def served(stuck: bool) -> tuple[list[Any], list[str]]:
    """What an application got through and how it ended, when its second message may be stuck."""
    out: list[Any] = []
    ended: list[str] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        try:
            for number in range(3):
                await send({"number": number})
            ended.append("by itself")
        except asyncio.CancelledError:
            ended.append("let go")
            raise

    async def story() -> None:
        never = asyncio.Event()

        async def send(message: Any) -> None:
            if message.get("number") == 1 and stuck:
                await never.wait()
            out.append(message)

        await patient(app, {}, receive, send)

    asyncio.run(story())
    return out, ended


def test_a_client_that_reads_is_served_to_the_end() -> None:
    assert served(stuck=False) == ([{"number": 0}, {"number": 1}, {"number": 2}], ["by itself"])


def test_a_client_that_does_not_read_is_let_go_and_told_to_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "PATIENCE", 0.01)
    assert served(stuck=True) == ([{"number": 0}, SLOW], ["let go"])
    assert len(str(SLOW["reason"]).encode()) <= 123  # of a close frame
