"""The short version of `crm chaos`: three kills under load, 10,000 facts each, nothing lost or duplicated."""

import json
import subprocess
import sys

import pytest

from tests.support.servers import IN_CONTAINERS

FACTS, RATE = 10_000, 1_000
TOO_SLOW = "recoveries took longer"

pytestmark = pytest.mark.skipif(IN_CONTAINERS, reason="the harness kills servers, and starts embedded ones for that")


@pytest.mark.parametrize("fault", ["kill-decide", "kill-postgres", "kill-kafka"])
def test_nothing_is_lost_and_nothing_counted_twice(fault: str) -> None:
    """How fast it recovers depends on the machine: that is for `crm chaos`, and not asserted here."""
    command = [sys.executable, "-m", "services.cli", "chaos", "--fault", fault, "--facts", str(FACTS)]
    done = subprocess.run([*command, "--rate", str(RATE), "--json"], capture_output=True, timeout=600)
    (outcome,) = json.loads(done.stdout)
    broken = [sentence for sentence in outcome["broken"] if TOO_SLOW not in sentence]
    found = [outcome[name] for name in ("acked", "effects", "lost", "duplicated")]
    assert (broken, found) == ([], [FACTS, FACTS, 0, 0])
    assert outcome["injections"] >= 1
    assert done.returncode == (0 if outcome["ok"] else 1)
