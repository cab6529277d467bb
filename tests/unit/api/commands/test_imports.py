"""Imports by GraphQL: what was sent is checked, run, paused and cancelled, and the list says how far each is."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from obstore.store import MemoryStore

from api.commands.imports import ImportColumnInput, ImportOptionsInput
from api.errors import Forbidden
from api.schema.imports import NoImports
from api.schema.root import schema
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.directory import Token
from crm.commands import Code
from crm.imports import Counts, Options, Phase, Reason, Request, Status, Wish, import_id
from crm.scalars import Id
from tests.support.scenarios import CONNECTION, NOON, SHOP

ID = import_id(SHOP, "a" * 64)
OTHER = Id("99999999-9999-5999-8999-999999999999")
REQUEST = Request(ID, SHOP, "people.csv", "a" * 64, 100, NOON)


def resolver(kind: str, name: str) -> Any:
    (found,) = [one for one in schema.get_type_by_name(kind).fields if one.name == name]  # type: ignore[union-attr]  # both are types
    return found.base_resolver.wrapped_func  # type: ignore[union-attr]  # each has one


def ask(store: ImportStore | None, name: str, workspace: Id = SHOP, scope: str = "write", **given: Any) -> Any:
    token = Token(CONNECTION, workspace, frozenset((scope,)), "Olena")
    info: Any = SimpleNamespace(context=SimpleNamespace(token=token, imports=store))
    kind = "Query" if name in ("imports", "file_import") else "Mutation"
    return asyncio.run(resolver(kind, name)(None, info, **given))


def change(store: ImportStore, wish: Wish, **given: Any) -> Any:
    return ask(store, f"import_{wish}", id=ID, **given)


@pytest.fixture
def store() -> ImportStore:
    made = ImportStore(MemoryStore())
    asyncio.run(made.ask(REQUEST))
    return made


def report(store: ImportStore, phase: Phase, **said: Any) -> None:
    async def written() -> None:
        request = await store.request(SHOP, ID)
        assert request
        await store.report(SHOP, Status(ID, phase, request.number, **said))

    asyncio.run(written())


def newest(store: ImportStore) -> Request:
    found = asyncio.run(store.request(SHOP, ID))
    assert found
    return found


def test_an_undo_says_how_long_it_takes(store: ImportStore) -> None:
    """`secondsLeft` was null while an undo was at work."""
    change(store, Wish.UNDO)
    report(store, Phase.UNDOING, done=200, whole=800, seconds=3.0)
    one = ask(store, "file_import", id=ID)
    assert (one.phase, one.progress, one.seconds_left) == (Phase.UNDOING, 0.25, 9.0)


def test_the_list_and_how_far_one_is(store: ImportStore) -> None:
    (one,) = ask(store, "imports")
    assert (one.id, one.name, one.phase, one.progress, one.seconds_left) == (ID, "people.csv", Phase.WAITING, 0.0, None)
    counts = Counts(rows=50, error=1)
    report(
        store, Phase.RUNNING, counts=counts, done=25, whole=100, seconds=2.0, decided=40, failed="people.failed.csv",
        columns={"Name": "name"}, sample=[["Ann"], [""]], reasons=[Reason(7, "It is no sum.")],
    )  # fmt: skip
    one = ask(store, "file_import", id=ID)
    assert (one.phase, one.progress, one.seconds_left, one.decided, one.counts.rows) == (
        Phase.RUNNING,
        0.25,
        6.0,
        40,
        50,
    )
    assert [(column.name, column.target, column.examples) for column in one.columns] == [("Name", "name", ["Ann"])]
    assert ([(why.row, why.why) for why in one.refused], one.failed_rows) == (
        [(7, "It is no sum.")],
        f"/imports/{ID}/failed",
    )


def test_options_are_taken_and_kept(store: ImportStore) -> None:
    options = ImportOptionsInput(columns=[ImportColumnInput(name="Хто", target="name")], existing="fill")
    done = change(store, Wish.CHECK, options=options)
    assert (done["file_import"].phase, done["user_errors"]) == (Phase.WAITING, [])
    report(store, Phase.CHECKED)
    change(store, Wish.RUN)
    said = Options(columns={"Хто": "name"}, existing="fill")
    assert (newest(store).wish, newest(store).number, newest(store).options) == (Wish.RUN, 3, said)
    assert asyncio.run(store.waiting()) == [(SHOP, ID)]


def test_a_pause_is_resumed_unless_something_else_is_said(store: ImportStore) -> None:
    report(store, Phase.RUNNING)
    change(store, Wish.PAUSE)
    report(store, Phase.PAUSED)
    change(store, Wish.RUN)
    assert newest(store).resumes
    report(store, Phase.RUNNING)
    change(store, Wish.PAUSE)
    change(store, Wish.RUN, options=ImportOptionsInput(system="crm1"))
    assert not newest(store).resumes


@pytest.mark.parametrize("wish", [Wish.PAUSE, Wish.CANCEL])
def test_what_is_over_cannot_be_stopped(store: ImportStore, wish: Wish) -> None:
    report(store, Phase.DONE)
    done = change(store, wish)
    assert done["user_errors"] == [
        {
            "field": None,
            "message": "It is done, so there is nothing to stop. Nothing was changed.",
            "code": Code.UNCHANGED,
        }
    ]
    assert newest(store) == REQUEST


def test_another_workspace_sees_and_changes_nothing(store: ImportStore) -> None:
    assert ask(store, "imports", OTHER) == []
    assert ask(store, "file_import", OTHER, id=ID) is None
    done = ask(store, "import_run", OTHER, id=ID)
    assert [error["code"] for error in done["user_errors"]] == [Code.NOT_FOUND]
    assert newest(store) == REQUEST


def test_who_may_not_write_and_a_server_without_a_place(store: ImportStore) -> None:
    with pytest.raises(Forbidden):
        ask(store, "import_run", scope="read", id=ID)
    with pytest.raises(NoImports, match="CRM_IMPORTS names no place"):
        ask(None, "imports")
    options = ImportOptionsInput(existing="replace")
    assert [error["code"] for error in change(store, Wish.RUN, options=options)["user_errors"]] == [Code.INVALID]
    assert newest(store) == REQUEST
