"""The intake on a memory log."""

import pytest

from crm.adapters.memory.log import MemoryLog
from tests.support.intake_server import House, run_alone


@pytest.fixture
def house() -> House:
    log = MemoryLog()
    return House(log, run_alone, lambda: log.records)
