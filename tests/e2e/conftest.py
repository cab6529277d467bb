"""One stack for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from services.stack.ports import any_free
from tests.support.running_stack import RunningStack
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import Terminal


@pytest.fixture(scope="package")  # ends with these tests: idle, it would take processor time from all that follow
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """`crm up`, once, with every real role."""
    if IN_CONTAINERS:
        pytest.skip("is about the embedded servers")
    terminal = Terminal(tmp_path_factory.mktemp("e2e"))
    terminal.environment["CRM_RATE_POINTS"] = "100000000"  # all tests together ask with one token
    terminal.environment["CRM_CORS_ORIGINS"] = "https://app.example.com"
    terminal.environment["CRM_VENDOR_URL_OLX"] = f"http://127.0.0.1:{any_free()}/olx"  # see test_oauth.py
    stack = RunningStack(terminal, terminal.start_stack())
    try:
        yield stack
    finally:
        stack.close()
        terminal.run("down")
