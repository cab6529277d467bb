"""What can be wrong with a replay: each is a sentence, and what has the target's name stays as it was."""

import asyncio
import errno
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from typer.testing import CliRunner

from crm.adapters.archive import manifest
from crm.errors import Broken, CrmError, Malformed
from services.cli import app
from streams.rebuild.fold import fold
from streams.rebuild.fold.time_limit import work_limit
from streams.rebuild.projection_file import projections_in
from streams.replay import extras, replay, runner
from streams.replay.disk import NotWritten
from tests.support.first_quarter import archive, quarter, records
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

EVENTS = quarter(20)
HEAD = """
from crm import Id, Micros, Row, projection
from crm.events import DealOpened, DealPaid

class MineRow(Row, frozen=True, gc=False):
    deal_id: Id
    paid: int

"""
FOLD = (
    HEAD + "@projection(key='deal_id', version=1)\ndef mine(row: MineRow | None, event: DealPaid) -> MineRow | None:\n"
)
GOOD = FOLD + "    return MineRow(event.deal_id, event.paid_minor)\n"
BY_CURRENCY = GOOD.replace("deal_id", "currency").replace("currency: Id", "currency: str")
ENDLESS = FOLD + "    while True:\n        pass\n"
IN_FOLD = r"The fold of mine \(.*mine\.py, line 11\) cannot take DealPaid [0-9a-f-]{36}, position \d+ of journal "
BAD = {
    FOLD + "    return MineRow(event.deal_id, 1 // 0)\n": IN_FOLD + r"partition \d+: ZeroDivisionError",
    FOLD + "    return (event.deal_id, 1)\n": r"it returns \('[0-9a-f-]{36}', 1\), which is not a MineRow",
    FOLD + "    return MineRow(event.deal_id, 0.5)\n": r"mine returns 0\.5 for paid, which is bigint, in row '",
    FOLD + "    return MineRow(event.deal_id, None)\n": r"mine returns None for paid, which is bigint",
    FOLD
    + "    return MineRow(event.deal_id, 2**70)\n": r"mine returns 1180591620717411303424 for paid, which is bigint",
    GOOD.replace("paid: int", "paid: dict[str, str]").replace(
        "event.paid_minor", "{'utm': 'facebook'}"
    ): r"mine returns \{'utm': 'facebook'\} for paid, which is jsonb: value 'facebook' of 'utm' is no JSON text; "
    r"make the column with json_of\(\.\.\.\), in row '",
    BY_CURRENCY: r"The row 'UAH' of mine is folded from events of several journal partitions",
    HEAD.replace("paid:", "order:")
    + FOLD[len(HEAD) :]
    + "    return None\n": r"line 9: No column can be named 'order': it "
    r"is a word of SQL\. Rename the field",
    GOOD.replace("paid:", "Paid:"): r"No column can be named 'Paid': it takes small Latin letters",
    GOOD.replace("paid:", "workspace:"): r"No column can be named 'workspace': every table has one already",
    GOOD.replace("paid: int", "paid: float"): r"paid: <class 'float'> is no type of a column; there are Id, str, int",
    GOOD.replace("key='deal_id'", "key='deal'"): r"The key of mine is 'deal', and MineRow has no such field",
    GOOD.replace(", event: DealPaid", ", event"): r"mine is no fold: it takes a row and an event, each with its type",
    GOOD.replace("event: DealPaid", "event: int"): r"mine folds <class 'int'>, which is no event of crm\.events",
    GOOD.replace("-> MineRow | None", "-> int"): r"mine must give one kind of Row",
    "def mine(:\n": r"mine\.py, line 1: invalid syntax",
    "import os\nimport nothing_of_the_kind\n": r"mine\.py, line 2: ModuleNotFoundError: No module named",
    HEAD: r"mine\.py declares no projection: a function under `@projection",
}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("old") / "archive", records(EVENTS))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(GOOD)
    return tmp_path / "mine.py"


def refused(file: Path, *arguments: object) -> str:
    """What the command says on standard error; the target is untouched and nothing else is left."""
    out = file.with_name("out.parquet")
    out.write_text("what was there")
    there = sorted(path.name for path in file.parent.iterdir())
    done = CliRunner().invoke(app, ["replay", str(file), "--out", str(out), *map(str, arguments)])
    assert done.exit_code == 1, done.output
    assert out.read_text() == "what was there"
    assert sorted(path.name for path in file.parent.iterdir() if path.name != "__pycache__") == there
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("text", BAD)
def test_a_file_that_cannot_be_used(mine: Path, old: Path, text: str) -> None:
    mine.write_text(text)
    said = refused(mine, "--archive", old)
    assert re.search(BAD[text], said), said
    assert "Nothing was read." in said or "Nothing was written." in said or "has one to copy" in said
    assert "swapped" not in said


def test_the_file_that_is_good_is_taken(mine: Path, old: Path) -> None:
    """Or all above would be refused whatever is in them."""
    assert replay(mine, archive=old).height == 13


def test_a_fold_that_does_not_end(mine: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine.write_text(ENDLESS)
    monkeypatch.setattr(fold, "work_limit", partial(work_limit, 0.2))
    (projection,) = projections_in(mine).values()
    with pytest.raises(CrmError, match=r"mine\.py, line 1[12]\) cannot take DealPaid .* did not return"):
        replay(projection, archive=old)


@pytest.mark.parametrize("to", ["parquet", "postgres"])
def test_what_is_wrong_with_the_file_or_the_bounds_is_said_before_a_server_is_looked_for(
    mine: Path, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bug: without a stack, a file with a mistake got the error that no stack runs."""
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    nowhere = "--to", to, "--data", str(mine.parent / "nowhere")
    assert "is before" in refused(mine, *nowhere, "--since", "2026-02-01", "--until", "2026-01-31")
    assert "is not folded here" in refused(mine, *nowhere, "--types", "DealWon")
    assert "No stack is running" in refused(mine, *nowhere)
    mine.write_text(GOOD.replace("def ", "deff ", 1))
    assert re.search(r"mine\.py, line \d+: .*Nothing was read\.", refused(mine, *nowhere))


def test_a_file_that_is_not_there_or_no_python(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path / "mine.py", "--archive", tmp_path)
    (tmp_path / "mine.txt").write_text(GOOD)
    assert "mine.txt is not a Python file: its name must end in .py" in refused(
        tmp_path / "mine.txt", "--archive", tmp_path
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--since", "2026-02-01", "--until", "2026-01-31"),
            r"`until` \(2026-01-31T23:59:59.9+Z\) is before",
        ),
        (("--since", "1 February"), r"'1 February' is no moment\. Write a day \(2026-01-31\)"),
        (("--clock", "wall"), r"There is no clock 'wall'"),
        (("--types", "DealPaid,DealWon"), r"DealWon is not folded here; there are DealPaid\."),
        (("--workspace", "mine"), r"'mine' is not the id of a workspace"),
    ],
)
def test_bounds_that_cannot_be(mine: Path, old: Path, arguments: tuple[str, str], said: str) -> None:
    assert re.search(said, refused(mine, "--archive", old, *arguments))


def test_an_archive_that_is_not_whole(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = archive(tmp_path_factory.mktemp("bad") / "archive", records(EVENTS))
    known = manifest.read(folder)
    file = folder / known.files[0].path
    whole = file.read_bytes()
    file.write_bytes(whole[:-30])
    assert re.search(r"is damaged\. .*\.avro has [\d,]+ bytes instead of", refused(mine, "--archive", folder))
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert re.search(r"is damaged\. .*\.avro was changed: its SHA-256", refused(mine, "--archive", folder))
    file.unlink()
    assert re.search(r"is damaged\. .*\.avro is missing\.", refused(mine, "--archive", folder))
    del known.files[0]
    manifest.write(folder, known)
    assert re.search(
        r"has a gap\. crm\.journal/\d+: offsets 0 to \d+ are in no file", refused(mine, "--archive", folder)
    )
    assert "is no archive" in refused(mine, "--archive", folder.parent)


def test_a_container_that_is_cut_though_the_manifest_agrees(
    old: Path, mine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It was cut before it was written into the manifest."""
    folder = archive(tmp_path_factory.mktemp("bad") / "archive", records(EVENTS))
    known = manifest.read(folder)
    file = folder / known.files[0].path
    file.write_bytes(file.read_bytes()[:-30])
    monkeypatch.setattr(manifest, "damaged", lambda *_: None)
    (projection,) = projections_in(mine).values()
    with pytest.raises(Broken, match=r"\.avro cannot be read: it ends in the middle of a block\. Nothing was written"):
        replay(projection, archive=folder)


def test_a_schema_that_only_a_newer_release_knows(mine: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    every = records(EVENTS)
    partition = max(every, key=lambda p: len(every[p]))
    last = every[partition][-1]
    every[partition][-1] = last._replace(value=b"\0" + (999_999).to_bytes(4, "big") + last.value[5:])
    folder = archive(tmp_path_factory.mktemp("new") / "archive", every)
    assert "Schema id 999999 of the event at position" in refused(mine, "--archive", folder)
    (projection,) = projections_in(mine).values()
    with pytest.raises(Malformed, match=r"a newer Potik wrote it\. Nothing was written"):
        replay(projection, archive=folder)
    assert replay(projection, archive=folder, skip_unknown=True).height in (12, 13)


def test_a_full_disk(mine: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (projection,) = projections_in(mine).values()
    monkeypatch.setattr(pl.DataFrame, "write_ipc", full)
    with pytest.raises(NotWritten, match=r"could not be written: No space left on device .* An existing"):
        replay(projection, archive=old)
    monkeypatch.undo()
    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    assert "could not be written: No space left on device" in refused(mine, "--archive", old)


def test_a_package_that_is_not_installed(mine: Path, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert "This needs duckdb, which is not installed" in refused(mine, "--archive", old, "--to", "duckdb")
    with pytest.raises(extras.NotInstalled, match=r"pip install -e '.\[analysts\]'"):
        extras.require_package("duckdb")


def test_nothing_to_read_from(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    with pytest.raises(ValueError, match=r"Name a Kafka .* or an archive: there is nothing to read"):
        replay(mine)


def test_killed_it_leaves_the_target_as_it_was(mine: Path, old: Path) -> None:
    begun = mine.with_name("begun")
    os.mkfifo(begun)
    mine.write_text(FOLD + f"    open({str(begun)!r}, 'w').close()\n    while True:\n        pass\n")
    out = mine.with_name("out.parquet")
    out.write_text("what was there")
    command = [sys.executable, "-m", "services.cli", "replay", mine, "--archive", old, "--out", out, "--processes", "1"]
    running = subprocess.Popen(command, cwd=ROOT)
    begun.open().close()  # waits until the fold is in it
    (worker,) = psutil.Process(running.pid).children()
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    worker.wait(TIMEOUT)
    assert out.read_text() == "what was there"
    assert [path.name for path in mine.parent.glob("*.parquet*")] == ["out.parquet"]
    mine.write_text(GOOD)
    done = CliRunner().invoke(app, ["replay", str(mine), "--archive", str(old), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert pl.read_parquet(out).height == 13
    assert not list(mine.parent.glob(".*")), "what the killed one left is swept"


class Interrupted(ThreadPoolExecutor):
    """Ctrl-C while its work is waited for."""

    def submit(self, *given: Any) -> Any:
        class Waited:
            def result(self) -> None:
                raise KeyboardInterrupt

        super().submit(*given)
        return Waited()


def test_interrupted_in_a_notebook_it_ends_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """There a loop runs already, and the work in another thread, which is not interrupted."""
    ended: list[bool] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def notebook() -> None:
        runner.run(work)

    monkeypatch.setattr(runner, "ThreadPoolExecutor", Interrupted)
    with closing(asyncio.new_event_loop()) as loop, pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(notebook())
    assert ended == [True]
