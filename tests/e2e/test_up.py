"""Two commands and a form: what a person does on the first day, with every real role."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest

from services.stack.process import until
from tests.e2e.person import Person
from tests.servers import IN_CONTAINERS

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="is about the embedded servers")

DEALS = "{ deals(first: 5) { nodes { number title stage contact { name phones } } } }"


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    person = Person(tmp_path_factory.mktemp("stack"))
    yield person
    person.types("down")


def deals(stack: Any, token: str) -> Any:
    """The list once it holds a deal."""
    seen: list[Any] = []

    async def missing() -> str | None:
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
            answer = (await http.post(stack["graphql_url"], json={"query": DEALS})).json()
        seen.append(answer)
        return None if answer.get("data") and answer["data"]["deals"]["nodes"] else f"no deal: {answer}"

    asyncio.run(until(missing, 120))
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
    assert httpx.post(stack["form_url"], data=form, trust_env=False).status_code == 200
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
