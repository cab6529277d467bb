"""`crm bench open-api` on a small scale: each fact streamed in is decided, and each command of the loop is done."""

import asyncio
from typing import Any

import pytest

from tests.bench.open_api import run, streaming_in
from tests.support.running_stack import RunningStack

KEYS = 40


def test_all_that_is_streamed_in_is_counted(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LINES": 20, "KNOWN": KEYS, "UPSERTS": 4 * KEYS, "UPDATES": 20, "RECORDS": 5}.items():
        monkeypatch.setattr(streaming_in, name, value)
    stack.settle()
    found: dict[str, Any] = asyncio.run(run.streamed(stack.data, run.STREAMED, 1, lambda _: None))
    assert {kind: row["facts"] % 20 for kind, row in found["post_facts"].items()} == {"form": 0, "product": 0}
    assert {kind: (row["keys"], row["facts"]) for kind, row in found["upserts"].items()} == {
        "product": (KEYS, 4 * KEYS),
        "deal": (KEYS, 4 * KEYS),
    }
    forms = found["forms_during_updates"]
    assert (forms["updates"], forms["with"]["never_seen"], forms["without"]["never_seen"]) == (60, 0, 0)
    assert found["batch_loop"]["facts"] % 5 == 0 and found["batch_loop"]["facts"] > 0
    assert len(list(run.compared(found))) == 6
