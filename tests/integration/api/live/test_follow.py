"""The example script of docs/subscriptions.md: stopped in between, it resumes where it was."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.integration.api.live.test_clients_resume import cut
from tests.support.change_notices import notify
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import SHOP, id_of
from tests.support.tools import ROOT

PAGE = ROOT / "docs" / "subscriptions.md"


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


@contextmanager
def following(api: ApiServer, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "GRAPHQL": f"http://127.0.0.1:{api.port}/graphql", "TOKEN": "crm_live_shop"}
    command = [sys.executable, "follow.py"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as running:
        while not api.changes.hub.subscribers:
            assert running.poll() is None
        yield running
        running.terminate()
    while api.changes.hub.subscribers:
        api.goes_on()


def test_the_example_follows_and_resumes(api: ApiServer, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n# follow\.py.*?\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "follow.py").write_text(script)
    with psycopg.connect(api.dsn, autocommit=True) as connection:
        with following(api, tmp_path) as running:
            notify(connection, SHOP, "deal", id_of("deal 7"))
            assert running.stdout
            assert running.stdout.readline() == "{'number': 7, 'stage': 'new', 'paid': {'text': '0.00 UAH'}}\n"
            kept = tmp_path / "cursor.txt"
            while not kept.exists():
                assert running.poll() is None
            cursor = kept.read_text()
            cut(api)
            notify(connection, SHOP, "deal", id_of("deal 9"))
            assert running.stdout.readline().startswith("{'number': 9,")
            while kept.read_text() == cursor:
                assert running.poll() is None
        notify(connection, SHOP, "deal", id_of("deal 8"))
        with following(api, tmp_path) as running:
            assert running.stdout
            assert running.stdout.readline().startswith("{'number': 8,")
