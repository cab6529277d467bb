"""Follows /screen-pop, and connects again with the last id when the connection is cut."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpx

RETRY_SECONDS = 2.0
SILENCE = 60.0  # seconds; the server says something every 20
Happened = tuple[str, dict[str, Any]]  # ring, end or refused, and what it says


class Refused(Exception):
    """The server refuses the token or the request; trying again would not help."""


class Screen:
    """One screen. `last`: the id of the newest message, by which it resumes."""

    def __init__(
        self,
        url: str,
        token: str,
        employees: Sequence[str] = (),
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url, self.employees, self.wait = url, employees, wait
        headers = {"authorization": f"Bearer {token}"}
        self.http = httpx.Client(headers=headers, timeout=SILENCE, trust_env=False, transport=transport)
        self.last = ""

    def follow(self) -> Iterator[Happened]:
        """Yields what happens, until the caller stops. Raises Refused."""
        while True:
            with suppress(httpx.TransportError):  # the server is being restarted
                yield from self.connected()
            self.wait(RETRY_SECONDS)

    def connected(self) -> Iterator[Happened]:
        """Yields the messages of one connection. Raises Refused, httpx.TransportError."""
        headers = {"last-event-id": self.last} if self.last else {}
        query = {"employee": list(self.employees)}
        with self.http.stream("GET", self.url, params=query, headers=headers) as answer:
            if answer.status_code in (429, 503):
                return
            if answer.status_code != 200:
                raise Refused(reason_of(answer.read(), answer.status_code))
            for kind, data in self.messages(answer.iter_lines()):
                if kind == "refused" and data["code"] != "BAD_CURSOR":
                    raise Refused(data["message"])
                yield kind, data

    def messages(self, lines: Iterator[str]) -> Iterator[Happened]:
        """Reads https://html.spec.whatwg.org/multipage/server-sent-events.html as far as this server uses it."""
        kind, data, id = "", "", self.last
        for line in lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "data":
                data += value
            elif name == "id":
                id = value
            elif not line:
                self.last = id
                if data:
                    yield kind, json.loads(data)
                kind, data = "", ""


def reason_of(body: bytes, status: int) -> str:
    try:
        return str(json.loads(body)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return f"The address answers {status}: is it that of the API?"
