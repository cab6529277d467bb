"""The intake on a memory log."""

import pytest

from crm.adapters.memory.log import MemoryLog
from tests.support.intake_server import IntakeServer, single_intake


@pytest.fixture
def server() -> IntakeServer:
    log = MemoryLog()
    return IntakeServer(log, single_intake, lambda: log.records)
