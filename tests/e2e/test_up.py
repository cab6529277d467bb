"""Two commands and a form: a user's first day, with every real role."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from crm.adapters.postgres import views
from crm.adapters.postgres.views import Served
from projections import PROJECTIONS
from services.stack import state
from services.stack.process import until
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import ROOT, Terminal
from tests.support.timeouts import TIMEOUT

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="is about the embedded servers")

DEAL = PROJECTIONS["deal"]
DEALS = "{ deals(first: 5) { nodes { number title stage contact { name phones } } } }"


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path_factory.mktemp("stack"))
    yield terminal
    terminal.run("down")


@pytest.fixture(scope="module")
def first(terminal: Terminal) -> Any:
    """What the first start prints."""
    return terminal.start_stack()


def deals(stack: Any, token: str, number: int = 1) -> Any:
    """Waits until the list holds so many deals."""
    seen: list[Any] = []

    async def missing() -> str | None:
        async with httpx.AsyncClient(
            trust_env=False, timeout=TIMEOUT, headers={"Authorization": f"Bearer {token}"}
        ) as http:
            answer = (await http.post(stack["graphql_url"], json={"query": DEALS})).json()
        seen.append(answer)
        found = answer["data"]["deals"]["nodes"] if answer.get("data") else ()
        return None if len(found) >= number else f"too few deals: {answer}"

    asyncio.run(until(missing, TIMEOUT))
    return seen[-1]["data"]["deals"]["nodes"]


OLENA = {
    "number": 1,
    "title": "Олена Коваль",
    "stage": "new",
    "contact": {"name": "Олена Коваль", "phones": ["+380671234567"]},
}


def test_the_first_day(terminal: Terminal, first: Any) -> None:
    form = {"name": "Олена Коваль", "phone": "067 123 45 67", "message": "Хочу кухню"}
    assert httpx.post(first["form_url"], data=form, trust_env=False, timeout=TIMEOUT).status_code == 200
    assert deals(first, first["token"]) == [OLENA]

    printed = terminal.run("tail journal --from-start --count 11 --json")
    types = sorted(json.loads(line)["type"] for line in printed.stdout.splitlines())
    assert types == [
        "AssignmentRulesSet",
        *["ConnectionAdded"] * 6,  # those of the demo
        "ContactCreated",
        "DealAssigned",
        "DealOpened",
        "WorkspaceCreated",
    ]
    assert "Олена" not in printed.stdout

    token = terminal.run_json("token create --name laptop --scope read")["token"]
    assert deals(first, token) == [OLENA]

    status = terminal.run_json("status")
    assert [role["name"] for role in status["roles"] if role["restarts"]] == [], (
        terminal.data / "stack.log"
    ).read_text()
    assert [(role["name"], role["state"], role["restarts"]) for role in status["roles"]] == [
        (name, "ready", 0) for name in ("kafka", "postgres", "intake", "api", "decide", "relay", "project", "outbound")
    ]
    assert (status["graphql_url"], status["intake_url"]) == (first["graphql_url"], first["intake_url"])
    assert (status["workspace"], status["facts_url"]) == (first["workspace"], f"{first['intake_url']}/facts")
    doctor = terminal.run_json("doctor")
    assert [check for check in doctor["checks"] if not check["ok"]] == []
    assert f"A stack is running on {terminal.data}" in terminal.run("up --detach", expect=1).stderr


def test_what_is_stopped_leaves_nothing_and_is_found_again(terminal: Terminal, first: Any) -> None:
    processes = [psutil.Process(role["pid"]) for role in terminal.run_json("status")["roles"]]
    assert deals(first, first["token"]) == [OLENA]
    assert terminal.run_json("down")["stopped"] is True
    assert not any(process.is_running() for process in processes)
    assert not (terminal.data / "stack.json").exists()
    again = terminal.start_stack()
    assert (again["workspace"], again["token"]) == (first["workspace"], first["token"])
    assert deals(again, again["token"]) == [OLENA]


def next_release(root: Path) -> Path:
    """Makes a copy of this release with a higher version of deal, as compiled as this one is."""
    half_written = "*.pyc.*"
    for room in ("api", "crm", "projections", "schemas", "services", "streams"):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("node_modules", half_written))
    file = root / "projections" / "deal.py"
    file.write_text(file.read_text().replace(f"version={DEAL.version},", f"version={DEAL.version + 1},"))
    return root


def test_a_raised_version_is_built_while_the_roles_run_and_served(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("down")
    newer = Terminal(terminal.data, next_release(tmp_path / "release"))
    stack = newer.start_stack()
    table = f"deal_v{DEAL.version + 1}"

    async def missing() -> str | None:
        shown = await asyncio.to_thread(served, terminal)
        return None if shown == Served("read", table) else f"the view shows {shown}"

    try:
        asyncio.run(until(missing, TIMEOUT))
        form = {"name": "Іван", "phone": "067 765 43 21"}
        assert httpx.post(stack["form_url"], data=form, trust_env=False, timeout=TIMEOUT).status_code == 200
        assert deals(stack, stack["token"], 2)[-1] == OLENA
        assert [check for check in newer.run_json("doctor")["checks"] if not check["ok"]] == []
        said = (terminal.data / "stack.log").read_text()
        assert f"Building deal (version {DEAL.version + 1}) from the journal." in said
        assert "Now serving deal: " in said
    finally:
        newer.run("down")


def served(terminal: Terminal) -> Served | None:
    with psycopg.connect(state.running(terminal.data).database_url) as conn:
        return views.served(conn, "deal")
