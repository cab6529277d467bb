"""Trials of other rules by GraphQL: asked for once at a time, bounded, and refused in a sentence."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from obstore.store import MemoryStore

from api.commands import whatif
from api.commands.inputs import input_type
from api.commands.whatif import NoTrials, WhatIfRules, drop, start
from api.errors import Forbidden
from api.schema.whatif import what_ifs
from crm.adapters.kafka.directory import Token
from crm.adapters.trial_store import TrialStore
from crm.commands import Code
from crm.decisions.commands.assignment_rules_set import AssignmentRule
from crm.moments import Clock
from crm.scalars import Id
from crm.shared import AssignmentRule as Tried
from crm.whatif import MOST, Phase, Status
from tests.support.scenarios import CONNECTION, NOON, SHOP

OTHER = Id("99999999-9999-5999-8999-999999999999")
DAY = 24 * 3_600_000_000
SINCE = datetime.fromtimestamp((NOON - DAY) / 1e6, UTC)


class NoSchemas:
    """A database without a trial of `crm whatif`."""

    executed: list[str] = []  # noqa: RUF012  # of one test after the other

    @asynccontextmanager
    async def connection(self, _: str) -> Any:
        async def execute(statement: Any, *_: Any) -> Any:
            self.executed.append(str(statement))

            async def fetchall() -> list[Any]:
                return []

            return SimpleNamespace(fetchall=fetchall)

        yield SimpleNamespace(execute=execute)


def info(store: TrialStore | None, workspace: Id = SHOP, scope: str = "write") -> Any:
    token = Token(CONNECTION, workspace, frozenset((scope,)), "Olena")
    context = SimpleNamespace(token=token, trials=store, executor=NoSchemas(), workspace=lambda: workspace)
    return SimpleNamespace(context=context)


def rules(**given: Any) -> Any:
    return input_type(WhatIfRules)(**given)


def all_to(owner: str) -> Any:
    return rules(rules=[input_type(AssignmentRule)(name="all", owners=[owner])])


def ask(store: TrialStore | None, given: Any = None, **more: Any) -> Any:
    return asyncio.run(start(None, info(store), rules=given or all_to("olha"), **({"since": SINCE} | more)))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "now", lambda: NOON)


def test_it_is_kept_as_it_was_given() -> None:
    store = TrialStore(MemoryStore())
    answer = ask(store, label="  Усе Ользі ", clock=Clock.OCCURRED)
    assert answer["user_errors"] == []
    (request,) = asyncio.run(store.waiting())
    assert (request.workspace, request.label, request.clock, request.requested_by) == (
        SHOP,
        "Усе Ользі",
        Clock.OCCURRED,
        "Olena",
    )
    assert (request.since, request.until, request.requested_at) == (NOON - DAY, NOON, NOON)
    assert request.rules.rules == (Tried("all", ("olha",)),) and request.rules.stage_rules is None
    shown = answer["what_if"]
    assert (shown.name, shown.about, shown.phase, shown.progress) == (request.name, "Усе Ользі", Phase.WAITING, 0.0)
    (listed,) = asyncio.run(what_ifs(None, info(store)))
    assert (listed.name, listed.requested_by) == (request.name, "Olena")
    assert asyncio.run(what_ifs(None, info(store, OTHER))) == [], "another workspace sees nothing of it"


def test_one_is_tried_at_a_time_and_so_many_are_kept() -> None:
    store = TrialStore(MemoryStore())
    ask(store, label="first")
    (refused,) = ask(store)["user_errors"]
    assert refused["message"] == "“first” is being tried. Nothing else is tried meanwhile: wait for it, or drop it."
    for _ in range(MOST):
        for request in asyncio.run(store.waiting()):
            asyncio.run(store.settle(request, Status(Phase.DONE)))
        answer = ask(store)
    (full,) = answer["user_errors"]
    assert full["message"].startswith(f"{MOST} trials are kept. Nothing is tried")


@pytest.mark.parametrize(
    ("given", "more", "code", "why"),
    [
        (rules(), {}, Code.REQUIRED, "They change nothing: give `rules`, `stages` or `stageRules`. Nothing is tried."),
        (all_to(" olha"), {}, Code.INVALID, "names an owner that is empty or has blanks around it. Nothing is tried."),
        (None, {"until": SINCE}, Code.INVALID, "The period is empty: it ends before it begins. Nothing is tried."),
        (None, {"label": "x" * 201}, Code.INVALID, "It is longer than 200 characters. Nothing is tried."),
    ],
)
def test_what_cannot_be_tried_is_refused(given: Any, more: dict[str, Any], code: Code, why: str) -> None:
    store = TrialStore(MemoryStore())
    (refused,) = ask(store, given, **more)["user_errors"]
    assert refused["code"] is code and refused["message"].endswith(why)
    assert asyncio.run(store.waiting()) == []


def test_a_dropped_one_waits_no_more() -> None:
    store = TrialStore(MemoryStore())
    name = ask(store)["what_if"].name
    assert asyncio.run(drop(None, info(store, OTHER), name=name))["dropped"] is False
    assert len(asyncio.run(store.waiting())) == 1
    assert asyncio.run(drop(None, info(store), name=name))["dropped"] is True
    assert asyncio.run(store.waiting()) == asyncio.run(store.of(SHOP)) == []


def test_it_needs_the_scope_and_a_place() -> None:
    with pytest.raises(Forbidden):
        asyncio.run(start(None, info(TrialStore(MemoryStore()), scope="read"), rules=all_to("olha"), since=SINCE))
    with pytest.raises(NoTrials):
        ask(None)
