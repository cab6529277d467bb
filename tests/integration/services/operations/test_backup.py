"""Backup and restore on real servers: an old database is put back, and what Kafka has more is there exactly once."""

import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from crm.errors import Broken
from services.operations.backup import backup
from services.operations.backup.backup import DUMP, Backup, Checkpoint, back_up
from services.operations.backup.restore import restore
from services.stack import state
from tests.support import rehearse
from tests.support.running_stack import RunningStack
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import Terminal

DECIDED = ("decide", "crm.intake.forms", 0, 5, -1)


def at(dsn: str) -> list[tuple[int]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT next FROM core.journal_head WHERE partition = 3").fetchall()


def move(dsn: str, position: int) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("UPDATE core.journal_head SET next = %s WHERE partition = 3", [position])


def called(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture
def taken(fresh_database_url: str, tmp_path: Path) -> Backup:
    """Of a database that was compared with Kafka, at position 7; it has come to 9 since."""
    with psycopg.connect(fresh_database_url) as conn:
        conn.execute(
            "INSERT INTO core.checkpoint (consumer, topic, partition, next_offset) VALUES (%s, %s, %s, %s)", DECIDED[:4]
        )
        conn.execute("INSERT INTO core.compared VALUES ('this start of the server')")
    move(fresh_database_url, 7)
    made = back_up(fresh_database_url, tmp_path / "backup")
    move(fresh_database_url, 9)
    return made


def test_a_backup_takes_the_databases_place(taken: Backup, fresh_database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert (taken.journal_heads[3], taken.checkpoints) == (7, [Checkpoint(*DECIDED)])
    assert backup.read(folder) == taken
    assert {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()]} == {
        "backup": 0o700,
        DUMP: 0o600,
        "manifest.json": 0o600,
    }
    found, kept = restore(fresh_database_url, folder)
    assert found == taken
    try:
        assert (at(fresh_database_url), at(called(fresh_database_url, kept))) == ([(7,)], [(9,)])
        with psycopg.connect(fresh_database_url) as conn:
            assert conn.execute("SELECT * FROM core.compared").fetchall() == []
    finally:
        with psycopg.connect(called(fresh_database_url, "postgres"), autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {kept}".encode())


def test_nothing_is_restored_while_somebody_is_connected(
    taken: Backup, fresh_database_url: str, tmp_path: Path
) -> None:
    refused = pytest.raises(RuntimeError, match=r"is in use: decide from .* It was not changed\. Stop the roles")
    with psycopg.connect(fresh_database_url, application_name="decide"), refused:
        restore(fresh_database_url, tmp_path / "backup")
    assert at(fresh_database_url) == [(9,)]


def test_a_damaged_backup_is_refused(taken: Backup, fresh_database_url: str, tmp_path: Path) -> None:
    dump = tmp_path / "backup" / DUMP
    dump.write_bytes(dump.read_bytes()[:-1])
    with pytest.raises(Broken, match=r"is truncated or was modified: its SHA-256 does not match\. Nothing was changed"):
        restore(fresh_database_url, tmp_path / "backup")
    assert at(fresh_database_url) == [(9,)]


def test_a_dump_that_pg_restore_refuses_leaves_no_half(taken: Backup, fresh_database_url: str, tmp_path: Path) -> None:
    """The checksum is right, the content is not: the new database is dropped, the present one is as it was."""
    folder = tmp_path / "backup"
    (folder / DUMP).write_bytes(b"PGDMP")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256(b"PGDMP").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RuntimeError, match=r"could not be restored; the database was not changed\. pg_restore said"):
        restore(fresh_database_url, folder)
    assert at(fresh_database_url) == [(9,)]
    with psycopg.connect(fresh_database_url) as conn:
        assert conn.execute("SELECT datname FROM pg_database WHERE datname LIKE '%_restoring'").fetchall() == []


def test_a_folder_is_never_overwritten(taken: Backup, fresh_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exists already"):
        back_up(fresh_database_url, tmp_path / "backup")
    assert backup.read(tmp_path / "backup") == taken


def test_after_an_old_backup_all_is_there_exactly_once(tmp_path: Path) -> None:
    """Facts, backup, more facts, restore: the roles fold what the journal has more before they decide again."""
    if IN_CONTAINERS:
        pytest.skip("is about the embedded servers")
    terminal = Terminal(tmp_path / "data")
    stack = RunningStack(terminal, terminal.start_stack())
    forms = [rehearse.form({"name": f"Форма {n}", "phone": f"067 900 00 {n:02}"}) for n in range(12)]
    try:
        stack.accepts("form", *forms[:4])
        stack.settle()
        terminal.run(f"backup {tmp_path / 'backup'} --data {terminal.data}")
        stack.accepts("form", *forms[4:8])
        stack.settle()
        before = stack.all_rows()
        refused = terminal.run(f"restore {tmp_path / 'backup'} --data {terminal.data}", expect=1)
        assert "decide, relay, project" in refused.stderr
        terminal.run("down")
        restored = terminal.run_json(f"restore {tmp_path / 'backup'} --data {terminal.data}")
        assert restored["kept_as"].startswith("potik_before_")
        stack.close()
        stack = RunningStack(terminal, terminal.start_stack())
        stack.settle()
        assert stack.all_rows() == before
        stack.accepts("form", *forms[4:12])  # four that the backup does not have, sent again; and four new ones
        stack.settle()
        assert sorted(deal["title"] for deal in stack.rows("deals")) == sorted(f"Форма {n}" for n in range(12))
    finally:
        stack.close()
        if (state.path(terminal.data)).exists():
            terminal.run("down")
