"""Fixtures of several tests on real servers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.counted_topic import CountedTopic


@pytest.fixture
def counted(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> Iterator[CountedTopic]:
    counted = CountedTopic(kafka_bootstrap, fresh_database_url, tmp_path)
    with ExitStack() as stack:
        stack.callback(counted.end)
        yield counted
