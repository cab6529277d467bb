"""`pip install -e '.[analysts]'` works from the checkout: the build gives the extra, the packages and the command."""

import subprocess
import sys
import zipfile
from email.parser import HeaderParser

import pytest

from tests.support.tools import ROOT

BUILD = "import sys; from hatchling.build import build_editable; print(build_editable(sys.argv[1]))"
ANALYSTS = ["altair", "duckdb", "marimo", "pyarrow", "vl-convert-python"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pip installs: the text of each file by its name without the folder."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-c", BUILD, str(folder)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(folder / made.stdout.strip()) as content:
        return {name.rpartition("/")[2]: content.read(name).decode() for name in content.namelist()}


def test_the_extra_has_what_analysts_need(wheel: dict[str, str]) -> None:
    headers = HeaderParser().parsestr(wheel["METADATA"])
    assert headers["Name"] == "potik"
    assert "analysts" in headers.get_all("Provides-Extra", [])
    wanted = [line for line in headers.get_all("Requires-Dist", []) if line.endswith("extra == 'analysts'")]
    assert sorted(line.partition(">=")[0] for line in wanted) == ANALYSTS


def test_the_command_and_the_checkout_are_found(wheel: dict[str, str]) -> None:
    assert "crm = services.cli:app" in wheel["entry_points.txt"]
    assert [text.strip() for name, text in wheel.items() if name.endswith(".pth")] == [str(ROOT)]
