"""The examples of docs/screen-pop.md, and `crm screen-pop`, follow the real stream."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.live.journal import Journal
from projections import PROJECTIONS
from services.cli.commands.screen_pop import line
from services.operations.screen_pop import Refused, Screen
from tests.support.graphql_server import ApiServer, api_server
from tests.support.journal_topic import JournalTopic
from tests.support.screen import UNCLOSED, Ringing, StandInJournal, screen, until_closed
from tests.support.shop_rows import OLENA_PHONE, SHOP, delete_of, id_of
from tests.support.tools import NODE, ROOT

pytestmark = UNCLOSED
PAGE = (ROOT / "docs" / "screen-pop.md").read_text()
AROUND = """
const said = (what) => console.log(JSON.stringify(what));
const source = screenPop(process.env.API, process.env.TOKEN, "101",
  (id, call) => said([id, call.match, call.contacts.map((one) => one.name)]), (id) => { said([id]); source.close(); });
source.addEventListener("open", () => console.log("open"));
"""


def snippet(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def api(database_url: str, kafka_bootstrap: str) -> Iterator[tuple[ApiServer, JournalTopic]]:
    topic = JournalTopic(kafka_bootstrap)
    with api_server(database_url) as api:
        with psycopg.connect(api.dsn, autocommit=True) as connection:
            delete_of(connection, PROJECTIONS["call"].qualified_name, SHOP)
        api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
        yield api, topic
        until_closed(api)


@contextmanager
def started(api: ApiServer, *command: str) -> Iterator[Iterator[str]]:
    """Yields the lines that a program prints, once its stream is open."""
    environment = {**os.environ, "API": f"http://127.0.0.1:{api.port}", "TOKEN": "crm_live_shop"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield iter(process.stdout)
        finally:
            process.kill()


def read_until(lines: Iterator[str], start: str) -> str:
    return next(one for one in lines if one.startswith(start))


def test_curl(api: tuple[ApiServer, JournalTopic]) -> None:
    served, topic = api
    with started(served, "sh", "-c", f"exec {snippet('sh curl')}") as lines:
        assert next(lines) == "retry: 2000\n"
        read_until(lines, "id: ")
        topic.publish(Ringing(SHOP, id_of("Olena"), OLENA_PHONE).rings("101"))
        assert read_until(lines, "event: ") == "event: ring\n"
        assert '"name":"Olena"' in read_until(lines, "data: ")


def test_event_source(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(ROOT / "tests" / "node" / "node_modules")
    file = tmp_path / "page.mjs"
    file.write_text(snippet("js page") + AROUND)
    ringing = Ringing(SHOP, id_of("Olena"), OLENA_PHONE)
    with api_server(database_url) as served:
        with psycopg.connect(served.dsn, autocommit=True) as connection:
            delete_of(connection, PROJECTIONS["call"].qualified_name, SHOP)
        journal: Any = StandInJournal(served.loop)
        served.changes.hub.journal = journal
        with started(served, str(NODE), "--no-warnings", str(file)) as lines:
            assert next(lines) == "open\n"
            while not journal.screens:
                assert served.thread.is_alive()
            journal.publish(ringing.rings("101"))
            assert next(lines) == f'["{ringing.id}","certain",["Olena"]]\n'
            journal.publish([ringing.report("completed", disposition="no_answer")])
            assert next(lines) == f'["{ringing.id}"]\n'


def test_the_command_resumes_by_the_id(api: tuple[ApiServer, JournalTopic]) -> None:
    served, topic = api
    with screen(served) as other:
        last = other.last
    ringing = Ringing(SHOP, id_of("Olena"), OLENA_PHONE)
    topic.publish(ringing.rings("101"))
    client = Screen(f"http://127.0.0.1:{served.port}/screen-pop", "crm_live_shop", ["101"])
    client.last = last
    kind, said = next(client.follow())
    deals = "D-7 Order 7 202.00 UAH, D-8 Order 8 202.00 UAH"
    assert line(kind, said) == f"ring  {ringing.id}  {OLENA_PHONE}  Olena; {deals}; taras@shop.ua  rings 101"
    with pytest.raises(Refused, match="unknown, revoked or expired"):
        next(Screen(client.url, "crm_live_none").follow())
