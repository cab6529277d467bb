"""Talks to the API about one file: sends it, says what shall be done, and follows how far it is."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from crm.imports import AT_WORK, LARGEST, STOPS, Options, Phase, Status, Wish, digest_of

BLOCK = 1 << 20  # bytes
LOOK_SECONDS = 0.25
PATIENCE = 30.0  # seconds without an answer of the API
AT_REST = tuple(phase for phase in Phase if phase not in AT_WORK)
Follow = Callable[[Status], None]


class Unreachable(ValueError):
    """The API does not answer."""


class ImportClient:
    """One file, or an import by its id. Raises ValueError with a sentence for what the API refuses."""

    def __init__(self, url: str, token: str, file: Path, options: Options | None, transport: Any = None) -> None:
        """`file`: of one that is not there the name is an import's id. `options`: None leaves them as they were."""
        if file.exists() and (size := file.stat().st_size) > LARGEST:
            raise ValueError(
                f"{file.name} has {size:,} bytes, and a file may have {LARGEST:,}. Nothing was sent. Split it: rows of "
                "several files go together."
            )
        self.url, self.file, self.options = f"{url.rstrip('/')}/imports", file, options
        headers = {"authorization": f"Bearer {token}"}
        self.http = httpx.Client(headers=headers, timeout=600, trust_env=False, transport=transport)
        self.address = f"{self.url}/{digest_of(file) if file.exists() else file.name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.http.close()

    def status(self) -> Status:
        return self.read(self.send("GET", self.address))

    def check(self) -> Status:
        """Sends the file unless it is there already, and asks for a check."""
        known = self.send("GET", self.address)
        if known.status_code == 200:
            return self.ask(Wish.CHECK)
        if not self.file.exists():  # an id, and there is no such import
            return self.read(known)
        said = {"name": self.file.name, "options": msgspec.json.encode(self.options).decode()}
        with self.file.open("rb") as content:
            size = {"content-length": str(self.file.stat().st_size)}
            return self.read(self.send("POST", self.url, params=said, content=blocks(content), headers=size))

    def ask(self, wish: Wish, as_before: bool = False) -> Status:
        """`as_before`: with what was said of the file before."""
        without = as_before or self.options is None or wish in STOPS
        body = b"" if without else msgspec.json.encode(self.options)
        return self.read(self.send("POST", self.address, params={"wish": wish.value}, content=body))

    def follow(self, look: Follow) -> Status:
        """Returns the status once the role is done with what was asked for."""
        away = 0
        while True:
            try:
                status, away = self.status(), 0
            except Unreachable as error:  # the API starts again, and the import goes on meanwhile
                if (away := away + 1) * LOOK_SECONDS > PATIENCE:
                    raise ValueError(f"{error} The import goes on: look with `crm import FILE --status`.") from None
            else:
                look(status)
                if status.phase in AT_REST:
                    return status
            time.sleep(LOOK_SECONDS)

    def failed(self, into: Path) -> None:
        with self.http.stream("GET", f"{self.address}/failed") as answer, into.open("wb") as file:
            for part in answer.iter_bytes():
                file.write(part)

    def send(self, method: str, url: str, **rest: Any) -> httpx.Response:
        try:
            return self.http.request(method, url, **rest)
        except httpx.TransportError as error:
            raise Unreachable(f"The API cannot be reached at {self.url}: {error or type(error).__name__}.") from None

    def read(self, answer: httpx.Response) -> Status:
        if answer.status_code in (200, 202):
            return msgspec.json.decode(answer.content, type=Status)
        try:
            why = str(answer.json()["errors"][0]["message"])
        except (ValueError, KeyError, IndexError, TypeError):
            why = f"The API answered {answer.status_code}: {answer.text.strip()[:300]}"
        raise ValueError(why)


def blocks(content: Any) -> Any:
    while block := content.read(BLOCK):
        yield block
