"""The four queries for our schema and PostGraphile's, and which parts of two answers must be equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

DOCUMENTS = Path(__file__).with_name("documents")
WHOLE = ("number", "amountMinor")  # PostGraphile writes a bigint as text


@dataclass(frozen=True)
class Query:
    """One query; its `variables` are sent in turn. The goal is in requests a second."""

    name: str
    about: str
    variables: tuple[dict[str, Any], ...] = ({},)
    goal: int | None = None

    def document(self, server: str) -> str:
        """Returns the document for a server: PostGraphile's schema of the same tables differs."""
        own = DOCUMENTS / f"{self.name}.{server}.graphql"
        return (own if own.exists() else DOCUMENTS / f"{self.name}.graphql").read_text()

    def bodies(self, server: str) -> list[dict[str, Any]]:
        document = self.document(server)
        return [{"query": document, "variables": variables} for variables in self.variables]


def queries(contacts: Sequence[UUID]) -> list[Query]:
    """Returns the four queries; the small one takes `contacts` in turn."""
    ids = tuple({"id": str(id)} for id in contacts)
    board = "a board: the 100 latest deals of each of 10 stages, as no page is longer than 100"
    return [
        Query("small", "one contact by its id, another each time", ids, goal=6_000),
        Query("nested", "20 contacts, the 5 latest deals of each, the payments of each of these", goal=1_000),
        Query("deals_100", "100 deals with a cursor each"),
        Query("deals_1000", board),
    ]


def content(answer: Any) -> Any:
    """Normalizes an answer: times, numbers, money and cursors are written differently by each server."""
    match answer:
        case dict():
            return dict(normalized(name, value) for name, value in answer.items())
        case list():
            return [content(value) for value in answer]
    return answer


def normalized(name: str, value: Any) -> tuple[str, Any]:
    if name == "amount":
        name, value = "amountMinor", value["minor"]
    if name in WHOLE:
        return name, int(value)
    if name == "touchedAt":
        return name, datetime.fromisoformat(value)
    return name, bool(value) if name in ("cursor", "endCursor") else content(value)
