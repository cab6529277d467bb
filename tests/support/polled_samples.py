"""Pages of vendors that are asked, with what they mean: `services/connectors/<vendor>/samples/polled/`.

`NAME.json` (or another ending) is the vendor's answer, `NAME.facts.json` next to it what it means, in the form of
tests/support/connector_samples.py, with `url`: what was asked, from the path on. `headers` are those of the answer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from crm.connector import Connection, Connector
from crm.connector_poll import Ask, Page, deliveries_of
from crm.envelope import Fact
from crm.scalars import Micros
from services.connectors import CONNECTORS
from tests.support.connector_deliveries import NOW, connection
from tests.support.connector_samples import MEANING, folder_of


class PolledSample(NamedTuple):
    id: str
    connection: Connection
    page: Page
    facts: list[dict[str, Any]]

    def __repr__(self) -> str:
        return self.id

    @property
    def connector(self) -> Connector:
        return CONNECTORS[self.connection.connector]


def polled_samples() -> Iterator[PolledSample]:
    for name, connector in CONNECTORS.items():
        for file in sorted((folder_of(name) / "polled").glob("*")) if connector.poll else ():
            if not file.name.endswith(MEANING):
                yield sample_of(name, file)


def sample_of(name: str, file: Path) -> PolledSample:
    meaning = json.loads((file.parent / f"{file.name.partition('.')[0]}{MEANING}").read_text("utf-8"))
    url = f"https://vendor.example{meaning['url']}"
    headers = {"content-type": "application/json", **meaning.get("headers", {})}
    page = Page(Ask(meaning["url"]), file.read_bytes(), Micros(NOW), headers, url=url)
    return PolledSample(f"{name}/{file.stem}", connection(name, **meaning.get("settings", {})), page, meaning["facts"])


def read(sample: PolledSample, page: Page) -> list[Fact]:
    """Raises PollFailed when the page is no answer: then it is asked for again."""
    poll = sample.connector.poll
    assert poll
    poll.check(page)
    return [
        fact for delivery in deliveries_of(poll, page) for fact in sample.connector.read(delivery, sample.connection)
    ]
