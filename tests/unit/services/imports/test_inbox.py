"""The watched folder: whole files are taken once, and run only where a person imported such a file before."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from crm.adapters.import_store import ImportStore
from crm.delivery import HOME
from crm.imports import LARGEST, Options, Phase, Status, Wish, digest_of
from services.imports import __main__ as role
from services.imports.importing import Importing
from services.imports.inbox import SETTLED, UNKNOWN, take_files, too_large
from tests.support.scenarios import SHOP

TEXT = b"Name,Phone\nAnn,0671234567\nBob,0671234568,x\n"


class Stack:
    """The role with a place for files and nothing else."""

    access = property(lambda self: self)
    settings = property(lambda self: self)
    database_url = "postgresql://nowhere"
    log = None

    def home(self, _: str) -> Any:
        return HOME


class Connection:
    """Postgres, which nobody asks here."""

    @classmethod
    async def connect(cls, *_: object, **__: object) -> "Connection":
        return cls()

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None: ...


@pytest.fixture(autouse=True)
def without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(self: Importing, *_: object) -> None:
        for read in self.reading.rows():
            self.status.counts.rows += 1
            if not hasattr(read.fact, "meta"):
                self.set_aside(read)

    async def undone_count(*_: object) -> int:
        return 0

    monkeypatch.setattr(role, "AsyncConnection", Connection)
    monkeypatch.setattr(role, "undone_count", undone_count)
    monkeypatch.setattr(Importing, "run", run)


async def work(store: ImportStore) -> Status | None:
    """Does what waits, and returns the status of the last import."""
    status = None
    for workspace, id in await store.waiting():
        given: Any = Stack()
        await role.Work(given, store, workspace, id).do()
        status = await store.status(workspace, id)
    return status


def test_a_file_is_run_if_a_person_imported_such_a_file_before(tmp_path: Path) -> None:
    async def test() -> None:
        store, inbox = ImportStore.open(str(tmp_path)), tmp_path / "inbox" / SHOP
        inbox.mkdir(parents=True)
        file = inbox / "people.csv"
        file.write_bytes(TEXT)
        changed = int(file.stat().st_mtime * 1e6)
        await take_files(store, changed + SETTLED - 1_000_000)
        assert file.exists() and await store.waiting() == []
        await take_files(store, changed + SETTLED + 1_000_000)
        assert not file.exists()
        status = await work(store)
        assert status is not None and (status.phase, status.message) == (Phase.FAILED, UNKNOWN)
        left = tmp_path / "failed" / SHOP / "people.csv"
        assert left.read_bytes() == TEXT and await store.waiting() == []
        request = await store.request(SHOP, status.id)
        assert request is not None and request.sha256 == digest_of(left)

        await store.remember(SHOP, ("Name", "Phone"), Options())
        file.write_bytes(TEXT)
        await take_files(store, changed + 2 * SETTLED + 60_000_000)
        status = await work(store)
        assert status is not None and (status.phase, status.counts.rows) == (Phase.DONE, 2)
        failed = (tmp_path / "failed" / SHOP / "people.failed.csv").read_text("utf-8-sig")
        assert failed.startswith("Name,Phone,reason\nBob,0671234568,")

    asyncio.run(test())


def test_what_a_person_runs_is_remembered(tmp_path: Path) -> None:
    async def test() -> None:
        store = ImportStore.open(str(tmp_path / "store"))
        file = tmp_path / "people.csv"
        file.write_bytes(TEXT)
        await store.keep(SHOP, digest_of(file), file)
        said = Options(columns={"Phone": ""})
        for options, held in (
            (said, said),
            (Options(), said),
            (Options(columns={"Name": ""}), Options(columns={"Name": ""})),
        ):
            request = role.Request(SHOP, SHOP, "a.csv", digest_of(file), 1, role.now(), Wish.RUN, options)
            await store.ask(request)
            await work(store)
            assert await store.remembered(SHOP, ["Name", "Phone"]) == held

    asyncio.run(test())


def test_folders_that_are_no_workspaces_are_left_alone(tmp_path: Path) -> None:
    async def test() -> None:
        store = ImportStore.open(str(tmp_path))
        (tmp_path / "inbox" / "shop").mkdir(parents=True)
        (tmp_path / "inbox" / "shop" / "a.csv").write_bytes(TEXT)
        (tmp_path / "inbox" / "a.csv").write_bytes(TEXT)
        assert await store.arrived() == []

    asyncio.run(test())


def test_a_file_that_is_too_large_is_moved_unread(tmp_path: Path) -> None:
    """The watched folder took a file of any size, which the API refuses: its bytes were read, kept and read again."""

    async def test() -> None:
        store, inbox = ImportStore.open(str(tmp_path)), tmp_path / "inbox" / SHOP
        inbox.mkdir(parents=True)
        with (inbox / "large.csv").open("wb") as file:
            file.truncate(LARGEST + 1)  # it takes no room on the disk
        changed = int((inbox / "large.csv").stat().st_mtime * 1e6)
        await take_files(store, changed + SETTLED + 1_000_000)
        assert await store.arrived() == [] and await store.waiting() == []
        assert (tmp_path / "failed" / SHOP / "large.csv").stat().st_size == LARGEST + 1

    with capture_logs() as logs:
        asyncio.run(test())
    assert [(one["event"], one["name"], one["why"]) for one in logs] == [
        ("a file was not imported", "large.csv", too_large(LARGEST + 1))
    ]
    assert too_large(LARGEST + 1).startswith(
        "It has 2,000,000,001 bytes, and a file may have 2,000,000,000. Nothing was"
    )
