"""docs/events.md names every event and fact, its fields, and those who really write it."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest
from msgspec.structs import fields

from crm import events, facts
from crm.decisions import RULES
from crm.decisions.case import Case
from crm.envelope import Event, Fact
from crm.events import DealAssigned, DealOpened, NoteAdded, TaskAdded, TaskDone
from services.reference.events_page import PAGE, page, writers
from services.reference.writers import functions_of, made_by
from tests.support import reference_run
from tests.support.reference_run import fact_of

RECORDS = {
    name: kind
    for module in (events, facts)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Event | Fact) and kind not in (Event, Fact)
}


def test_the_page_is_that_of_today() -> None:
    assert PAGE.read_text("utf-8") == page(), "docs/events.md is out of date. Run make events."


@cache
def sections() -> list[str]:
    return page().split("\n### ")[1:]


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_its_fields_and_a_writer(name: str) -> None:
    (text,) = [part for part in sections() if part.startswith(f"{name}\n")]
    assert [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")] == [
        field.name for field in fields(RECORDS[name]) if field.name != "meta"
    ]
    assert writers(name), f"Nothing makes {name}. Is it made through a variable? services/reference/writers.py"


def test_who_writes_what() -> None:
    assert writers("DealOpened") == [
        "on the facts [CallReported](#callreported), [DealReported](#dealreported), [FormSubmitted](#formsubmitted), "
        "[MailReported](#mailreported), [MessageReported](#messagereported), [OrderReported](#orderreported)",
        "on the mutation `dealOpen`",
    ]
    assert writers("NoteRemoved") == ["on the mutation `noteRemove`"]
    assert writers("CommandAccepted")[0] == "on every mutation, as its first event"
    by_connectors, by_api = writers("CallReported")
    assert "[`binotel`](../services/connectors/binotel)" in by_connectors
    assert by_api == "by `POST /facts`"
    assert writers("WorkspaceDeclared") == [
        "by the code of [api/commands/secrets.py](../api/commands/secrets.py), "
        "[api/commands/workspace_create.py](../api/commands/workspace_create.py), "
        "[services/stack/workspaces.py](../services/stack/workspaces.py)"
    ]


def test_every_event_of_a_run_is_written_by_those_whom_the_page_names() -> None:
    """600 deliveries, decided in memory: the code as it was read against the code as it ran."""
    decided, delivered = reference_run.run_in_memory()
    causes = {id: type(fact_of(delivery)) for id, delivery in delivered}
    ran = {(causes[event.meta.cause], type(event).__name__) for event in decided if event.meta.cause in causes}
    assert len(ran) > 20
    assert [(kind.__name__, name) for kind, name in ran if name not in made_by(RULES[kind].decide)] == []


def planted(fact: Fact, case: Any) -> Iterator[Any]:
    """Makes three events, each in another way; two more are only asked for."""
    yield TaskAdded(*fact)  # type: ignore[misc, call-arg]  # it never runs
    made: Any = partial(NoteAdded, fact.meta)
    match case.state:
        case TaskDone():
            yield made()
        case state if isinstance(state, DealOpened):
            yield from TABLE["later"](case)


def later(case: Case) -> Iterator[Event]:
    yield DealAssigned(*case.place)  # type: ignore[misc, call-arg]  # it never runs


TABLE = {"later": later}


def test_calls_are_followed_and_questions_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reference.writers.PACKAGES", (__name__,))
    functions_of.cache_clear()
    assert made_by(planted) == {"TaskAdded", "NoteAdded", "DealAssigned"}
