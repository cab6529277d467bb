"""Which conversations and tasks are a salesperson's own."""

import asyncio
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from api.console.languages import Speaker
from api.console.questions import Row
from api.console.screens.conversations import LINES, PAGE, PAGES, conversations, lines
from api.console.screens.tasks import tasks
from api.console.view import View

ME = {
    "name": "olena",
    "scopes": ["read"],
    "intakeUrl": "",
    "workspace": {"name": "Shop", "timezone": "Europe/Kyiv"},
    "stages": {},
    "owners": [{"key": "olena", "name": "Олена"}, {"key": "taras", "name": "Тарас"}],
}


def said(number: int, owner: str | None, unanswered: bool) -> Row:
    contact = {"id": "1", "name": f"Person {number}", "owner": owner}
    at = "2026-10-05T09:00:00+00:00"
    more = {"channel": "viber", "title": "", "lastText": "", "touchedAt": at, "unanswered": unanswered}
    return {"id": str(number), "contact": contact, **more}


class Conversations:
    """Answers from a list, page by page, and keeps the questions."""

    first_seen = "0:1"

    def __init__(self, owners: list[str | None]) -> None:
        self.owners, self.given = owners, list[dict[str, Any]]()

    async def ask(self, name: str, /, **variables: Any) -> dict[str, Any]:
        self.given.append(variables)
        if name == "tasks":
            return {"tasks": {"nodes": []}}
        start = int(variables["after"] or 0)
        end = start + variables["first"]
        nodes = [said(n, owner, variables["unanswered"]) for n, owner in enumerate(self.owners[start:end], start)]
        info = {"hasNextPage": end < len(self.owners), "endCursor": str(end)}
        return {"conversations": {"nodes": nodes, "pageInfo": info}}

    run = change = ask


def view(answers: Conversations, query: str = "") -> View:
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []}
    return View(Request(scope), answers, Speaker("en", "Europe/Kyiv"), ME)  # type: ignore[arg-type]  # a fake


def found(owners: list[str | None], owner: str, unanswered: bool = True) -> tuple[list[str], bool]:
    result = asyncio.run(lines(view(Conversations(owners)), owner, unanswered))
    return [one["id"] for one in result.conversations], result.older


def test_those_that_wait_are_of_the_owner_or_nobodys() -> None:
    assert found(["taras", "olena", None], "olena") == (["1", "2"], False)


def test_those_that_are_answered_are_of_the_owner_alone() -> None:
    assert found(["taras", "olena", None], "olena", unanswered=False) == (["1"], False)


def test_of_all_one_page_is_read_and_older_ones_are_said() -> None:
    assert found(["taras"] * LINES, "") == ([str(n) for n in range(LINES)], False)
    assert found(["taras"] * (LINES + 1), "")[1]


def test_the_owners_are_found_behind_many_of_others() -> None:
    answers = Conversations([*["taras"] * (3 * PAGE), "olena"])
    result = asyncio.run(lines(view(answers), "olena", True))
    assert [one["id"] for one in result.conversations] == [str(3 * PAGE)] and not result.older
    assert [one["after"] for one in answers.given] == [None, "100", "200", "300"]


def test_a_search_that_ends_early_says_so() -> None:
    assert found([*["taras"] * (PAGES * PAGE), "olena"], "olena") == ([], True)
    assert found(["olena"] * (LINES + 1), "olena") == ([str(n) for n in range(LINES)], True)


def test_the_page_leads_to_ones_own_and_names_whose_each_is() -> None:
    everything = bytes(asyncio.run(conversations(view(Conversations(["taras", None])))).body).decode()
    assert '<a href="?owner=olena">Mine</a>' in everything and "· taras" in everything and "nobody" not in everything
    mine = bytes(asyncio.run(conversations(view(Conversations(["taras", None]), "owner=olena"))).body).decode()
    assert "Person 0" not in mine and "Person 1" in mine and "nobody’s yet" in mine


def test_tasks_of_today_are_due_until_midnight_in_the_workspace() -> None:
    answers, zone = Conversations([]), ZoneInfo("Europe/Kyiv")
    before = datetime.now(zone).date()
    page = asyncio.run(tasks(view(answers, "owner=olena&due=today")))
    (given,) = answers.given
    assert given["owner"] == {"eq": "olena"}
    end = datetime.fromisoformat(given["due"]["lte"])
    assert before <= end.date() <= datetime.now(zone).date()
    assert end.utcoffset() == end.replace(tzinfo=zone).utcoffset() and end.time().isoformat() == "23:59:59.999999"
    assert re.search(r'name="due" value="today" checked', bytes(page.body).decode())
