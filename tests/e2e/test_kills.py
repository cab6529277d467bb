"""kill -9 of every process, one after the other, while forms come in: what was accepted is a deal exactly once."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from services.connectors import rehearse
from services.connectors.rehearse import Post
from tests.support.running_stack import Stack, wait

FOUND = "query($phone: String!) { caller(phone: $phone) { openDeals { title } } }"


def part(stack: Stack, name: str) -> Any:
    return next(part for part in stack.running().parts if part.name == name)


def kill(stack: Stack, name: str) -> int:
    """Gives the pid that it had."""
    pid: int = part(stack, name).pid
    os.kill(pid, signal.SIGKILL)
    return pid


def back(stack: Stack, name: str, was: int) -> None:
    """Waits until the supervisor has it running again, and all the others too."""

    def missing() -> str | None:
        if part(stack, name).pid in (0, was):
            return f"{name} is not back"
        late = [part.name for part in stack.running().parts if part.state != "ready"]
        return f"not ready: {late}" if late else None

    wait(missing)


def test_without_kafka_nothing_is_acknowledged(stack: Stack) -> None:
    """The supervisor is frozen meanwhile, so that Kafka stays away until the answer has come.

    How soon that is depends on `produce_timeout`: tests/unit/crm/test_settings.py.
    """
    form = rehearse.form({"name": "Наполеглива", "phone": "067 300 00 01"})
    supervisor = psutil.Process(stack.running().pid)
    supervisor.suspend()
    try:
        was = kill(stack, "kafka")
        for _ in range(2):  # the first waits for Kafka, the second is told at once
            answer = stack.deliver("form", form)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    finally:
        supervisor.resume()
    back(stack, "kafka", was)
    wait(lambda: None if stack.deliver("form", form).status_code == 200 else "not accepted yet")
    stack.settle()
    assert stack.ask(FOUND, phone="+380673000001") == {"caller": {"openDeals": [{"title": "Наполеглива"}]}}


KILLED = ["decide", "relay", "project", "api", "intake", "postgres", "kafka"]


class Trickle:
    """A person who sends form after form, each again and again until it is accepted."""

    def __init__(self, stack: Stack, run: str) -> None:
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
def trickle(stack: Stack, run: str) -> Iterator[Trickle]:
    told = Trickle(stack, run)
    thread = threading.Thread(target=told.post)
    thread.start()
    try:
        yield told
    finally:
        told.stopping.set()
        thread.join()
        told.http.close()


@pytest.mark.parametrize("name", KILLED)
def test_a_kill_loses_and_doubles_nothing(stack: Stack, name: str) -> None:
    with trickle(stack, name) as forms:
        wait(lambda: None if forms.sent >= 5 else "the trickle has not begun")
        was, before = kill(stack, name), forms.sent
        back(stack, name, was)
        wait(lambda: None if forms.sent >= before + 5 else f"stuck at {forms.sent}")
    stack.settle()
    deals = stack.rows("deals", f', field: [{{name: "run", equals: "{name}"}}]')
    assert sorted(deal["fields"]["n"] for deal in deals) == list(range(forms.sent))
