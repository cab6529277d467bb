"""The short version of `crm chaos`: three deaths under load, 10,000 facts each, nothing lost or doubled."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from services.chaos.faults import Fault, named
from services.chaos.run import play
from tests.servers import IN_CONTAINERS

FACTS, RATE = 10_000, 1_000

pytestmark = [
    pytest.mark.skipif(IN_CONTAINERS, reason="the harness kills servers, and starts embedded ones for that"),
    # aiokafka leaves the transports to a broker that was killed to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("fault", named("kill-decide,kill-postgres,kill-kafka"), ids=lambda fault: fault.name)
def test_nothing_is_lost_and_nothing_counted_twice(fault: Fault, tmp_path: Path) -> None:
    """How fast it recovers depends on the machine: that is for `crm chaos`, and not asserted here."""
    unhurried = replace(fault, bound=None)
    outcome = asyncio.run(play(unhurried, tmp_path, os.environ, FACTS, RATE, seed="1", told=print))
    assert (outcome.acked, outcome.effects, outcome.lost, outcome.duplicated) == (FACTS, FACTS, 0, 0)
    assert (outcome.broken, outcome.ok) == ([], True)
    assert outcome.injections >= 1
