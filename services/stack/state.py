"""What a running stack tells about itself: `stack.json` in its data folder."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

ROOT = Path(__file__).parents[2]


class PartState(msgspec.Struct):
    """One process of the stack."""

    name: str
    pid: int
    born: float  # process creation time, so that a pid used again is not taken for it
    state: str  # starting, ready, unready (missing says why), waiting (to be started again), stopped
    missing: str
    restarts: int
    url: str  # of /livez, /readyz and /metrics; empty for the servers


class StackState(msgspec.Struct):
    """The whole stack. Holds the database's password: readable by its owner alone."""

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
    """No stack runs on that data folder."""


class AlreadyRuns(Exception):
    """Another supervisor holds the data folder."""


def data_folder() -> Path:
    """CRM_DATA, else .data in the checkout, else .data where we are."""
    if given := os.environ.get("CRM_DATA"):
        return Path(given).absolute()
    return (ROOT if (ROOT / "pyproject.toml").exists() else Path.cwd()) / ".data"


def path(data: Path) -> Path:
    return data / "stack.json"


def write(data: Path, state: StackState) -> None:
    beside = path(data).with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(state), indent=2))
    beside.rename(path(data))


def read(data: Path) -> StackState | None:
    """As it was last written, by a stack that may be gone."""
    try:
        return msgspec.json.decode(path(data).read_bytes(), type=StackState)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def running(data: Path) -> StackState:
    """Raises NotRunning with what to do."""
    state = read(data)
    if not state or not lives(state.pid, state.born):
        raise NotRunning(f"No stack runs on {data}: start it with `crm up` (or `make run`).")
    return state


def born(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def lives(pid: int, since: float) -> bool:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return bool(process.create_time() == since and process.status() != psutil.STATUS_ZOMBIE)
    return False


def leftovers(data: Path) -> Iterator[psutil.Process]:
    """Processes of a stack whose supervisor was killed."""
    if state := read(data):
        for part in state.parts:
            if part.pid and lives(part.pid, part.born):
                with contextlib.suppress(psutil.NoSuchProcess):
                    yield psutil.Process(part.pid)
