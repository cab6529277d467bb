"""Two commands and a form: what a person does on the first day, with every real role."""

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
from tests.support.patience import PATIENCE
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import ROOT, Person

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="is about the embedded servers")

DEAL = PROJECTIONS["deal"]
DEALS = "{ deals(first: 5) { nodes { number title stage contact { name phones } } } }"


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    person = Person(tmp_path_factory.mktemp("stack"))
    yield person
    person.types("down")


def deals(stack: Any, token: str, number: int = 1) -> Any:
    """The list once it holds so many."""
    seen: list[Any] = []

    async def missing() -> str | None:
        async with httpx.AsyncClient(
            trust_env=False, timeout=PATIENCE, headers={"Authorization": f"Bearer {token}"}
        ) as http:
            answer = (await http.post(stack["graphql_url"], json={"query": DEALS})).json()
        seen.append(answer)
        found = answer["data"]["deals"]["nodes"] if answer.get("data") else ()
        return None if len(found) >= number else f"too few deals: {answer}"

    asyncio.run(until(missing, PATIENCE))
    return seen[-1]["data"]["deals"]["nodes"]


OLENA = {
    "number": 1,
    "title": "Олена Коваль",
    "stage": "new",
    "contact": {"name": "Олена Коваль", "phones": ["+380671234567"]},
}


def test_the_first_day(person: Person) -> None:
    stack = person.starts()
    form = {"name": "Олена Коваль", "phone": "067 123 45 67", "message": "Хочу кухню"}
    assert httpx.post(stack["form_url"], data=form, trust_env=False, timeout=PATIENCE).status_code == 200
    assert deals(stack, stack["token"]) == [OLENA]

    told = person.types("tail journal --from-start --count 6 --json")
    types = sorted(json.loads(line)["type"] for line in told.stdout.splitlines())
    assert types == [
        "AssignmentRulesSet",
        "ContactCreated",
        "DealAssigned",
        "DealOpened",
        "IdentifierAdded",
        "WorkspaceCreated",
    ]
    assert "Олена" not in told.stdout

    token = person.asks("token create --name laptop --scope read")["token"]
    assert deals(stack, token) == [OLENA]

    status = person.asks("status")
    assert [(role["name"], role["state"], role["restarts"]) for role in status["roles"]] == [
        (name, "ready", 0) for name in ("kafka", "postgres", "intake", "api", "decide", "relay", "project")
    ]
    assert (status["graphql_url"], status["intake_url"]) == (stack["graphql_url"], stack["intake_url"])
    doctor = person.asks("doctor")
    assert [check for check in doctor["checks"] if not check["ok"]] == []
    assert f"A stack runs on {person.data}" in person.types("up --detach", expect=1).stderr


def test_what_is_stopped_leaves_nothing_and_is_found_again(person: Person) -> None:
    person.types("down")
    before = person.starts()
    processes = [psutil.Process(role["pid"]) for role in person.asks("status")["roles"]]
    assert deals(before, before["token"]) == [OLENA]
    assert person.asks("down")["stopped"] is True
    assert not any(process.is_running() for process in processes)
    assert not (person.data / "stack.json").exists()
    again = person.starts()
    assert (again["workspace"], again["token"]) == (before["workspace"], before["token"])
    assert deals(again, again["token"]) == [OLENA]


def next_release(root: Path) -> Path:
    """This release with the version of deal raised, and nothing else."""
    for room in ("api", "crm", "projections", "schemas", "services", "streams"):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    file = root / "projections" / "deal.py"
    file.write_text(file.read_text().replace(f"version={DEAL.version},", f"version={DEAL.version + 1},"))
    return root


def test_a_raised_version_is_built_beside_the_roles_and_served(person: Person, tmp_path: Path) -> None:
    person.types("down")
    newer = Person(person.data, next_release(tmp_path / "release"))
    stack = newer.starts()
    table = f"deal_v{DEAL.version + 1}"

    async def missing() -> str | None:
        shown = await asyncio.to_thread(served, person)
        return None if shown == Served("read", table) else f"the view shows {shown}"

    try:
        asyncio.run(until(missing, PATIENCE))
        form = {"name": "Іван", "phone": "067 765 43 21"}
        assert httpx.post(stack["form_url"], data=form, trust_env=False, timeout=PATIENCE).status_code == 200
        assert deals(stack, stack["token"], 2)[-1] == OLENA
        assert [check for check in newer.asks("doctor")["checks"] if not check["ok"]] == []
        said = (person.data / "stack.log").read_text()
        assert f"Behind: deal (version {DEAL.version + 1}). Built from the journal now" in said
        assert "Served now: deal, from " in said
    finally:
        newer.types("down")


def served(person: Person) -> Served | None:
    with psycopg.connect(state.running(person.data).database_url) as conn:
        return views.served(conn, "deal")
