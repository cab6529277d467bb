"""`crm connect new VENDOR`: what it writes is found, read, formatted, and means what its sample says."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from msgspec.structs import replace

from crm.connector_poll import Ask, Page, deliveries_of
from crm.errors import Refused
from services.cli import new_connector
from services.connectors import find_connectors
from tests.support.connector_deliveries import NOW, connection, sent
from tests.support.connector_samples import meant
from tests.support.tools import ROOT


@pytest.fixture(params=[False, True], ids=["received", "polled"])
def written(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, bool]:
    """The folder of a new connector in a package of its own."""
    package = tmp_path / f"begun_{request.param}"
    package.mkdir()
    (package / "__init__.py").touch()
    files = new_connector.write("quick-forms", request.param, package)
    assert len(files) == (5 if request.param else 6)
    for file in package.rglob("*.py"):
        own = f"{package.name}.quick_forms"
        file.write_text(file.read_text("utf-8").replace("services.connectors.quick_forms", own), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return package, request.param


def test_it_means_what_its_sample_says(written: tuple[Path, bool]) -> None:
    package, polled = written
    connector = find_connectors(import_module(package.name))["quick-forms"]
    folder = package / "quick_forms" / "samples"
    own = connection("quick-forms", "TEST_secret")
    if polled:
        sample = folder / "polled" / "page.json"
        assert connector.poll
        page = Page(Ask(), sample.read_bytes(), sent(b"", "").received_at)
        (delivery,) = deliveries_of(connector.poll, page)
        facts = connector.read(delivery, own)
    else:
        sample = folder / "form.json"
        rehearsal = import_module(f"{package.name}.quick_forms.rehearse").REHEARSAL
        own = connection("quick-forms", rehearsal.secret_of("x"))
        signed = rehearsal.sign(sent(sample.read_bytes(), "application/json"), "x")
        facts = connector.receive(signed, own)
        with pytest.raises(Refused):
            connector.receive(replace(signed, body=signed.body + b" "), own)
    expected = json.loads(sample.with_name(f"{sample.stem}.facts.json").read_text("utf-8"))["facts"]
    assert meant(facts, expected, own, NOW) == expected


def test_it_is_formatted_and_typed(tmp_path: Path) -> None:
    """Names are as long as they may be, and before and after those that are imported with them."""
    folder = tmp_path / "services" / "connectors"
    for name in ("a" * new_connector.LONGEST, "z" * new_connector.LONGEST):
        for polled in (False, True):
            new_connector.write(f"{name[:-1]}{polled:d}", polled, folder)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    own = 'lint.isort.known-first-party=["crm", "services"]'
    for check in (["check", "--config", own], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "."]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", "new", "Acme", "a_b", "1c", "../x", "import", "a--b"])
def test_a_name_that_is_none_writes_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Nothing was written"):
        new_connector.write(name, False, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    new_connector.write("acme", False, tmp_path)
    with pytest.raises(ValueError, match="is there already"):
        new_connector.write("acme", True, tmp_path)
