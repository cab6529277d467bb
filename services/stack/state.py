"""What a running stack publishes about itself: `stack.json` in its data folder."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from services.stack.files import replace_file

ROOT = Path(__file__).parents[2]


class PartState(msgspec.Struct):
    """One process of the stack."""

    name: str
    pid: int
    born: float  # process creation time, so that a reused pid is not mistaken for it
    state: str  # starting, ready, unready (missing says why), waiting (to be restarted), stopped
    missing: str
    restarts: int
    url: str  # of /livez, /readyz and /metrics; empty for the servers


class StackState(msgspec.Struct):
    """The whole stack. Contains the database's password, so only its owner can read the file."""

    pid: int
    born: float
    data: str
    kafka_bootstrap: str
    database_url: str
    intake_url: str
    api_url: str
    graphql_url: str
    parts: list[PartState]
    ready: bool = False
    ready_after: float = 0.0  # seconds from the start


class NotRunning(Exception):
    """No stack is running on that data folder."""


class AlreadyRuns(Exception):
    """Another supervisor holds the data folder."""


def data_folder() -> Path:
    """Returns CRM_DATA, else .data in the checkout, else .data in the current folder."""
    if given := os.environ.get("CRM_DATA"):
        return Path(given).absolute()
    return (ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()) / ".data"


def path(data: Path) -> Path:
    return data / "stack.json"


def write(data: Path, state: StackState) -> None:
    replace_file(path(data), msgspec.json.format(msgspec.json.encode(state), indent=2), 0o600)


def read(data: Path) -> StackState | None:
    """Returns the state as last written, possibly by a stack that has ended since; None when there is none."""
    try:
        return msgspec.json.decode(path(data).read_bytes(), type=StackState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def running(data: Path) -> StackState:
    """Returns the state of the running stack. Raises NotRunning with what to do."""
    state = read(data)
    if not state or not is_alive(state.pid, state.born):
        raise NotRunning(f"No stack is running on {data}: start it with `crm up` (or `make run`).")
    return state


def born(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def is_alive(pid: int, since: float) -> bool:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return bool(process.create_time() == since and process.status() != psutil.STATUS_ZOMBIE)
    return False


def orphans(data: Path) -> Iterator[psutil.Process]:
    """Yields processes that are still alive of a stack whose supervisor was killed."""
    if state := read(data):
        for part in state.parts:
            if part.pid and is_alive(part.pid, part.born):
                with contextlib.suppress(psutil.NoSuchProcess):
                    yield psutil.Process(part.pid)
