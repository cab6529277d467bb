"""kill -9 of every process in turn while forms come in: each accepted form becomes exactly one deal."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from tests.support import rehearse
from tests.support.rehearse import Post
from tests.support.running_stack import RunningStack, wait_until

FOUND = "query($phone: String!) { caller(phone: $phone) { openDeals { title } } }"


def part(stack: RunningStack, name: str) -> Any:
    return next(part for part in stack.running().parts if part.name == name)


def kill(stack: RunningStack, name: str) -> int:
    """Kills the part and returns its pid."""
    pid: int = part(stack, name).pid
    os.kill(pid, signal.SIGKILL)
    return pid


def back(stack: RunningStack, name: str, was: int) -> None:
    """Waits until the supervisor has restarted it and all parts run."""

    def missing() -> str | None:
        if part(stack, name).pid in (0, was):
            return f"{name} is not back"
        late = [part.name for part in stack.running().parts if part.state != "ready"]
        return f"not ready: {late}" if late else None

    wait_until(missing)


def test_without_kafka_nothing_is_acknowledged(stack: RunningStack) -> None:
    """The supervisor is frozen meanwhile, so that Kafka stays away until the answer has come.

    How soon that is depends on `produce_timeout`: tests/unit/crm/test_settings.py.
    """
    form = rehearse.form({"name": "Наполеглива", "phone": "067 300 00 01"})
    supervisor = psutil.Process(stack.running().pid)
    supervisor.suspend()
    try:
        was = kill(stack, "kafka")
        for _ in range(2):  # the first waits for Kafka, the second is answered at once
            answer = stack.deliver("form", form)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    finally:
        supervisor.resume()
    back(stack, "kafka", was)
    wait_until(lambda: None if stack.deliver("form", form).status_code == 200 else "not accepted yet")
    stack.settle()
    assert stack.ask(FOUND, phone="+380673000001") == {"caller": {"openDeals": [{"title": "Наполеглива"}]}}


KILLED = ["decide", "relay", "project", "api", "intake", "postgres", "kafka"]


class Trickle:
    """Sends one form after another; repeats each until it is accepted."""

    def __init__(self, stack: RunningStack, run: str) -> None:
        self.stack, self.run, self.sent = stack, run, 0
        self.stopping = threading.Event()
        self.http = httpx.Client(trust_env=False, timeout=10)

    def post(self) -> None:
        while not self.stopping.wait(0.02):
            headers, body = self.form(self.sent)
            assert self.stack.demo
            while True:
                try:
                    url = f"{self.stack.intake_url}/in/{self.stack.demo.form}"
                    if self.http.post(url, content=body, headers=headers).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                self.stopping.wait(0.1)
            self.sent += 1

    def form(self, n: int) -> Post:
        phone = f"+38068{KILLED.index(self.run)}{n:06}"
        return rehearse.json_form({"phone": phone, "run": self.run, "n": n, "event_id": f"{self.run} {n}"})


@contextmanager
def trickle(stack: RunningStack, run: str) -> Iterator[Trickle]:
    trickle = Trickle(stack, run)
    thread = threading.Thread(target=trickle.post)
    thread.start()
    try:
        yield trickle
    finally:
        trickle.stopping.set()
        thread.join()
        trickle.http.close()


@pytest.mark.parametrize("name", KILLED)
def test_a_kill_loses_and_doubles_nothing(stack: RunningStack, name: str) -> None:
    with trickle(stack, name) as forms:
        wait_until(lambda: None if forms.sent >= 5 else "the trickle has not begun")
        was, before = kill(stack, name), forms.sent
        back(stack, name, was)
        wait_until(lambda: None if forms.sent >= before + 5 else f"stuck at {forms.sent}")
    stack.settle()
    deals = stack.rows("deals", f', field: [{{name: "run", equals: "{name}"}}]')
    assert sorted(deal["fields"]["n"] for deal in deals) == list(range(forms.sent))
