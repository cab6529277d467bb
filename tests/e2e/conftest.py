"""One stack for all end-to-end tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.stack.ports import any_free
from tests.support.browser import chromium
from tests.support.console import ConsolePage
from tests.support.running_stack import RunningStack
from tests.support.servers import IN_CONTAINERS
from tests.support.terminal import Terminal
from tests.support.tools import ROOT


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


@pytest.fixture(scope="module")
def shots() -> Path:
    """Where the pictures of the screens are left: build/console, or CRM_SCREENSHOTS."""
    folder = Path(os.environ.get("CRM_SCREENSHOTS", ROOT / "build" / "console"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def address(stack: RunningStack) -> str:
    return str(stack.graphql_url).removesuffix("/graphql")


@pytest.fixture(scope="module")
def console(
    stack: RunningStack, address: str, shots: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ConsolePage]:
    with chromium(tmp_path_factory.mktemp("console")) as page:
        console = ConsolePage(page, address, shots)
        console.sign_in(stack.token)
        yield console
