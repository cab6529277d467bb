"""All GraphQL over HTTP audits of the npm package graphql-http, against a server on a socket."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.graphql_server import ApiServer, api_server
from tests.support.timeouts import TIMEOUT
from tests.support.tools import NODE, ROOT

TOOLS = ROOT / "tests" / "node"


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


def audited(url: str) -> list[str]:
    """What is not passed, a line each, and how many audits there are."""
    command = [NODE, "audits.mjs", url, "crm_live_shop"]
    done = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_every_audit_is_passed(api: ApiServer) -> None:
    assert audited(f"http://127.0.0.1:{api.port}/graphql") == ["61"]


def test_a_server_that_fails_them_is_found_out(api: ApiServer) -> None:
    """/livez answers everything with 200 and no GraphQL."""
    *failed, _count = audited(f"http://127.0.0.1:{api.port}/livez")
    assert len(failed) > 20
