"""docs/connecting.md: its connector is short, is found, and does what the page says."""

import hashlib
import hmac
import re
import sys
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest

from crm.connector import Answer, Connection, Connector, Delivery
from crm.connector_files import FileRequest, file_at, link_in, look_up
from crm.connector_poll import SECOND, Turn
from crm.connector_settings import BadSetting, check_settings
from crm.errors import Refused
from crm.facts import CallReported
from crm.scalars import Micros
from services.connectors import find_connectors
from tests.support.scenarios import CONNECTION, NOON, SHOP
from tests.support.tools import ROOT

BLOCKS = re.findall(
    r"`services/connectors/acme/(\w+\.py)`:\n\n```python\n(.*?)```",
    (ROOT / "docs/connecting.md").read_text("utf-8"),
    re.DOTALL,
)
BODY = b'{"id": "c1", "from": "0671234567", "account": "7"}'
URL = "https://crm.example.com/in/1"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connector:
    (tmp_path / "of_a_page" / "acme").mkdir(parents=True)
    (tmp_path / "of_a_page" / "__init__.py").touch()
    for name, code in BLOCKS:
        (tmp_path / "of_a_page" / "acme" / name).write_text(code.replace("services.connectors.acme", "of_a_page.acme"))
    monkeypatch.syspath_prepend(tmp_path)
    found = find_connectors(import_module("of_a_page"))
    for module in [name for name in sys.modules if name.partition(".")[0] == "of_a_page"]:
        monkeypatch.delitem(sys.modules, module)
    return found["acme"]


def delivery(secret: str = "s3cret", body: bytes = BODY) -> Delivery:
    mac = hmac.new(secret.encode(), URL.encode() + body, hashlib.sha256).hexdigest()
    return Delivery({"x-acme-signature": mac}, body, NOON, base="https://crm.example.com", path="/in/1")


def test_it_has_less_than_60_lines() -> None:
    lines = {name: len(code.splitlines()) for name, code in BLOCKS}
    assert list(lines) == ["__init__.py", "webhook.py", "poll.py", "files.py"]
    assert lines["__init__.py"] + lines["webhook.py"] < 60 and lines["poll.py"] < 40


def test_its_poll_asks_for_what_came_since(acme: Connector, tmp_path: Path) -> None:
    poll = import_module("of_a_page.acme.poll").POLL
    sys.modules.pop("of_a_page.acme.poll")
    connection = Connection(CONNECTION, SHOP, "acme", "s3cret")
    moments = Micros(NOON - 60 * SECOND), NOON
    parameters = poll.ask(Turn(connection, NOON, *moments)).parameters
    assert parameters["per_page"] == "100"
    assert datetime.fromisoformat(parameters["to"]) - datetime.fromisoformat(parameters["from"]) == timedelta(minutes=1)


def test_its_files_are_fetched_with_the_key(acme: Connector) -> None:
    files = import_module("of_a_page.acme.files").FILES
    sys.modules.pop("of_a_page.acme.files")
    key, address = {"authorization": "Bearer k-1"}, "https://files.acme.example/1.mp3"
    values = {"api_key": "k-1", "secret": "s3cret"}
    question = FileRequest("https://api.acme.example/v1/recordings/a%2Fb", key, True)
    assert look_up(files, "a/b", values) == question
    assert file_at(files, link_in({"data": {"url": address}}, files.link), values) == FileRequest(address, key, True)
    assert file_at(files, "https://acme.example/1.mp3", values) == FileRequest("https://acme.example/1.mp3", {}, False)


def test_it_receives_a_call(acme: Connector) -> None:
    connection = Connection(CONNECTION, SHOP, "acme", "s3cret", {"account": "7"})
    (fact,) = acme.receive(delivery(), connection)
    assert isinstance(fact, CallReported)
    assert (fact.call, fact.phase, fact.phone.e164) == ("c1", "completed", "+380671234567")
    for sent in (delivery("another"), delivery(body=BODY.replace(b"7", b"8"))):
        with pytest.raises(Refused):
            acme.receive(sent, connection)


def test_it_answers_a_challenge_and_needs_its_setting(acme: Connector) -> None:
    connection = Connection(CONNECTION, SHOP, "acme", "s3cret", {"account": "7"})
    assert acme.webhook and acme.webhook.handshake
    challenge = Delivery({}, b"", NOON, "challenge=abc", method="GET")
    assert acme.webhook.handshake(challenge, connection) == Answer(200, b"abc")
    assert acme.webhook.handshake(delivery(), connection) is None
    with pytest.raises(BadSetting, match="acme needs the setting 'account': The account's number at Acme"):
        check_settings("acme", acme.entry.settings, {})
