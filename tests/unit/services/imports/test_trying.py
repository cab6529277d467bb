"""Trials that the API was asked for: in a process of its own, with its progress, stopped when they are dropped."""

import asyncio
import sys

import pytest
from obstore.store import MemoryStore

from crm.adapters.trial_store import TrialStore
from crm.moments import Clock
from crm.scalars import Micros
from crm.shared import AssignmentRule
from crm.whatif import Phase, Request, Rules, Status
from services.imports import trying
from tests.support.scenarios import CONNECTION, NOON, SHOP

RULES = Rules(rules=(AssignmentRule("all", ("olha",)),))
REQUEST = Request(CONNECTION, SHOP, "all", NOON, Micros(NOON + 1), Clock.RECORDED, RULES, "Olena", NOON)
SAYS = "import sys; sys.stdin.read(); print({!r}, flush=True)"
RUNNING = '{"phase":"running","done":3,"whole":7}'


def outcome(monkeypatch: pytest.MonkeyPatch, script: str, dropped: bool = False) -> tuple[Status, list[Request]]:
    """Returns the status of a trial whose process is this script, and what still waits."""
    monkeypatch.setattr(trying, "COMMAND", (sys.executable, "-c", script))

    async def test() -> tuple[Status, list[Request]]:
        store = TrialStore(MemoryStore())
        await store.ask(REQUEST)
        if dropped:
            waiting = store.waiting

            async def then_dropped() -> list[Request]:
                found = await waiting()
                await store.forget(SHOP, REQUEST.id)
                return found

            monkeypatch.setattr(store, "waiting", then_dropped)
        await trying.try_wanted(store)
        return await store.status(SHOP, REQUEST.id), await TrialStore(store.store).waiting()

    return asyncio.run(test())


def test_its_last_word_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    script = SAYS.format(RUNNING + '\n{"phase":"done","done":7,"whole":7,"couldnt":1}')
    assert outcome(monkeypatch, script) == (Status(Phase.DONE, 7, 7, couldnt=1), [])


def test_one_that_dies_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    status, waiting = outcome(monkeypatch, "import sys; sys.stdin.read(); sys.exit(1)")
    assert (status.phase, status.message, waiting) == (Phase.FAILED, trying.CUT_OFF, [])


@pytest.mark.parametrize(("signal", "why"), [("SIGXCPU", trying.TOO_LONG), ("SIGKILL", trying.TOO_LARGE)])
def test_one_that_needs_too_much_says_of_what(monkeypatch: pytest.MonkeyPatch, signal: str, why: str) -> None:
    killed = f"import os, signal, sys; sys.stdin.read(); os.kill(os.getpid(), signal.{signal})"
    assert outcome(monkeypatch, killed)[0] == Status(Phase.FAILED, message=why)


def test_one_that_is_dropped_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = SAYS.format(RUNNING) + "\nimport signal\nsignal.pause()"
    assert outcome(monkeypatch, endless, dropped=True) == (Status(), [])
