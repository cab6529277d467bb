"""A role that is not always needed joins the stack once there is something for it, and not before."""

import asyncio
from pathlib import Path

import pytest

from crm.adapters.import_store import ImportStore
from crm.connector import Connection
from crm.imports import Request
from crm.scalars import Id, Micros
from crm.settings import Settings
from services.polling import needed
from services.stack.role import ON_DEMAND, ROLES, Role
from services.stack.supervisor import Plan, Supervisor
from tests.support.polling import Others

ID = Id("00000000-0000-4000-8000-000000000001")


def test_it_is_started_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        there = asyncio.Event()

        async def until_needed(bootstrap: str, keys: object) -> None:
            assert bootstrap == "kafka:9092"
            await there.wait()

        monkeypatch.setattr(needed, "until_needed", until_needed)
        supervisor = Supervisor(Plan(tmp_path, Settings(), {}, on_demand=ON_DEMAND), lambda *_: None)
        supervisor.bootstrap = "kafka:9092"
        kept: list[Role] = []
        monkeypatch.setattr(supervisor, "keep", lambda part, _: kept.append(part))
        starting = asyncio.create_task(supervisor.start_on_demand("polling"))
        await Others()
        assert kept == []
        there.set()
        await starting
        assert [(part.name, part.module, part.environment["KAFKA_BOOTSTRAP"]) for part in kept] == [
            ("polling", "services.polling", "kafka:9092")
        ]

    asyncio.run(test())
    assert not ON_DEMAND.keys() & ROLES.keys()


def test_imports_join_the_stack_once_a_file_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        supervisor = Supervisor(Plan(tmp_path, Settings(), {}, on_demand=ON_DEMAND), lambda *_: None)
        kept: list[Role] = []
        monkeypatch.setattr(supervisor, "keep", lambda part, _: kept.append(part))
        store = ImportStore.open(str(tmp_path / "imports"))
        starting = asyncio.create_task(supervisor.start_on_demand("imports"))
        await Others()
        assert kept == []
        await store.ask(Request(ID, ID, "a.csv", "00", 1, Micros(0)))
        await starting
        assert [(part.name, part.module) for part in kept] == [("imports", "services.imports")]
        assert kept[0].environment["CRM_IMPORTS"] == str(tmp_path / "imports")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("connector", "secret", "settings", "polled"),
    [
        ("privatbank", "token", {}, True),
        ("privatbank", " ", {}, False),
        ("monobank-personal", "made-up", {}, False),
        ("monobank-personal", "made-up", {"token": "t" * 30}, True),
        ("liqpay", "secret", {}, False),
        ("gone", "secret", {}, False),
    ],
)
def test_what_is_polled(connector: str, secret: str, settings: dict[str, str], polled: bool) -> None:
    id = Id("00000000-0000-4000-8000-000000000001")
    assert needed.is_polled(Connection(id, id, connector, secret, settings)) is polled
    assert not needed.is_polled(Connection(id, id, connector, secret, settings, enabled=False))
