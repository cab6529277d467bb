"""The supervisor with stand-in roles: restarts them, publishes their state, and stops them all."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

import psutil
import pytest

from services.stack import state
from services.stack.ports import LOCAL
from services.stack.role import Role
from services.stack.state import PartState, StackState
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(kafka_bootstrap: str, database_url: str, tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(**environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stand_in_stack", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={**os.environ, "KAFKA_BOOTSTRAP": kafka_bootstrap, "DATABASE_URL": database_url, **environment},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(line: str, process: "subprocess.Popen[str]") -> list[str]:
    """The lines up to the one that ends with `line`."""
    seen: list[str] = []
    assert process.stdout
    patience = Timer(TIMEOUT, process.kill)
    patience.start()
    try:
        for said in process.stdout:
            seen.append(said.rstrip())
            if seen[-1].endswith(line):
                return seen
    finally:
        patience.cancel()
    raise AssertionError("\n".join([f"never said {line!r}:", *seen]))


def parts(data: Path) -> dict[str, PartState]:
    return {part.name: part for part in published(data).parts}


def published(data: Path) -> StackState:
    found = state.read(data)
    assert found
    return found


def test_all_roles_are_started_published_and_stopped(start: Start, tmp_path: Path, kafka_bootstrap: str) -> None:
    process = start()
    lines = until("READY", process)
    for name, instance in (("decide", 1), ("decide-2", 2), ("project", 1)):
        assert f"{name:>8} stand-in {instance} on {kafka_bootstrap}" in lines
    stack = state.running(tmp_path)
    assert stack.ready and stack.pid == process.pid
    assert [(part.name, part.state, part.restarts) for part in stack.parts] == [
        ("decide", "ready", 0),
        ("decide-2", "ready", 0),
        ("project", "ready", 0),
    ]
    children = [psutil.Process(part.pid) for part in stack.parts]
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT) == 0
    assert not any(child.is_running() for child in children)
    assert [path.name for path in tmp_path.iterdir()] == ["ports.json"]


def test_a_role_that_dies_is_started_again(start: Start, tmp_path: Path, kafka_bootstrap: str) -> None:
    process = start()
    until("READY", process)
    before = parts(tmp_path)
    os.kill(before["decide-2"].pid, signal.SIGKILL)
    until("decide-2 ended with code -9: restarting in 0.2 s", process)
    assert until("s", process)[0] == f"decide-2 stand-in 2 on {kafka_bootstrap}"
    ready = parts(tmp_path)
    assert ready["decide-2"].state == "ready"
    assert ready["decide-2"].restarts == 1
    assert ready["decide-2"].pid != before["decide-2"].pid
    assert ready["decide"] == before["decide"]
    assert ready["project"] == before["project"]


def test_the_same_data_takes_one_stack(start: Start, tmp_path: Path) -> None:
    first = start()
    until("READY", first)
    second = start()
    assert until("stops it.", second)[-1] == (
        f"AlreadyRuns: A stack is running on {tmp_path}: `crm status` shows it, `crm down` stops it."
    )
    assert second.wait(TIMEOUT) == 1
    assert published(tmp_path).pid == first.pid


def test_a_supervisor_that_is_killed_takes_its_roles_along(start: Start, tmp_path: Path) -> None:
    first = start()
    until("READY", first)
    children = [psutil.Process(part.pid) for part in parts(tmp_path).values()]
    first.kill()
    assert psutil.wait_procs(children, timeout=TIMEOUT)[1] == []
    until("READY", start())
    assert published(tmp_path).pid != first.pid


def test_a_role_that_is_never_ready_stops_the_start_with_its_own_words(start: Start, tmp_path: Path) -> None:
    process = start(CRM_STAND_IN="never ready", CRM_PATIENCE="1")
    assert until("kept.", process)[-1] == (
        "RuntimeError: Not ready after 1 s: decide: is not ready yet; decide-2: is not ready yet; "
        "project: is not ready yet. Everything was stopped; the data is kept."
    )
    assert process.wait(TIMEOUT) == 1
    assert state.read(tmp_path) is None


def test_a_role_whose_port_was_taken_after_it_was_chosen_takes_another(start: Start, tmp_path: Path) -> None:
    """The api said "Address already in use" at each restart until the start was given up."""
    process = start(CRM_STAND_IN="robbed")
    lines = until("READY", process)
    chosen = next(int(line.split()[1]) for line in lines if line.startswith("TAKEN"))
    port = urlsplit(published(tmp_path).api_url).port
    assert port != chosen
    assert [line for line in lines if "in use" in line] == [
        f"     api Port {chosen} is in use: api uses port {port} instead, now and at the next start."
    ]
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIMEOUT) == 0


def test_a_role_keeps_its_port_once_it_has_been_ready() -> None:
    with socket.create_server((LOCAL, 0)) as busy:
        port = busy.getsockname()[1]
        role = Role("api", "this", 1, {"CRM_API_PORT": str(port)})
        role.served = True
        stopped = role.start()
        assert role.port == port, "clients know it"
        role.served = False
        again = role.start()
        assert role.port != port
    for process in (stopped, again):
        process.communicate()
