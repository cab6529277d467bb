"""Dumps the database while everything is running, with its journal heads and checkpoints."""

import hashlib
import importlib.metadata
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from crm.adapters.archive import manifest
from crm.errors import Broken
from services.operations.backup.postgres_programs import libpq_environment, program, run

DUMP = "database.dump"
HEADS = "SELECT partition, next FROM core.journal_head ORDER BY partition"
CHECKPOINTS = (
    "SELECT consumer, topic, partition, next_offset, position FROM core.checkpoint ORDER BY consumer, topic, partition"
)


class Checkpoint(msgspec.Struct, frozen=True):
    """The progress of a consumer."""

    consumer: str
    topic: str
    partition: int
    next_offset: int
    position: int


class Backup(msgspec.Struct, frozen=True):
    """The manifest of a dump, from the same snapshot."""

    taken_at: str  # UTC
    potik: str  # versions
    postgres: str
    size: int  # of the dump, in bytes
    sha256: str
    journal_heads: dict[int, int]  # the next position of each partition
    checkpoints: list[Checkpoint]

    @property
    def postgres_major(self) -> int:
        return int(self.postgres.split(".")[0])


def back_up(dsn: str, folder: Path) -> Backup:
    """Creates `folder`, which must not exist. Leaves nothing behind when it fails. Raises RuntimeError with why."""
    if folder.exists():
        raise ValueError(f"{folder} exists already. Nothing was changed: give a new folder.")
    building = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    try:
        building.mkdir(0o700, parents=True)
        taken = dump(dsn, building)
        manifest.put(building / manifest.NAME, msgspec.json.format(msgspec.json.encode(taken), indent=1))
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    manifest.settle(folder.parent)
    return taken


def dump(dsn: str, folder: Path) -> Backup:
    """Writes the dump and returns its manifest, both from one snapshot."""
    file = folder / DUMP
    file.touch(0o600)
    with psycopg.connect(dsn) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        version = str(conn.info.parameter_status("server_version"))
        command = program("pg_dump", conn.info.server_version // 10_000)
        (snapshot,) = conn.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        heads: dict[int, int] = dict(conn.execute(HEADS).fetchall())
        checkpoints = [Checkpoint(*row) for row in conn.execute(CHECKPOINTS)]
        options = ["--format=custom", f"--snapshot={snapshot}", f"--file={file}"]
        run([command, *options], libpq_environment(dsn), "The backup failed; nothing was kept.")
    with file.open("rb") as content:
        os.fsync(content.fileno())
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Backup(
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        potik=potik_version(),
        postgres=version.split()[0],
        size=file.stat().st_size,
        sha256=digest,
        journal_heads=heads,
        checkpoints=checkpoints,
    )


def read(folder: Path) -> Backup:
    """Returns the manifest of a backup. Raises Broken when the folder is not a backup, or was changed."""
    try:
        taken = msgspec.json.decode((folder / manifest.NAME).read_bytes(), type=Backup)
        with (folder / DUMP).open("rb") as content:
            digest: Any = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise Broken(f"{folder} is not a backup: {error.filename} is missing. Nothing was changed.") from None
    except msgspec.DecodeError as error:
        file = folder / manifest.NAME
        raise Broken(f"{file} is not the manifest of a backup: {error}. Nothing was changed.") from None
    if digest != taken.sha256:
        raise Broken(f"{folder / DUMP} is truncated or was modified: its SHA-256 does not match. Nothing was changed.")
    return taken


def potik_version() -> str:
    try:
        return importlib.metadata.version("potik")
    except importlib.metadata.PackageNotFoundError:
        return "source"
