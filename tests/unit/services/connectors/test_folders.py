"""One vendor, one folder: complete, found by looking, and named nowhere else."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from crm.connector_catalogue import catalogue
from services.connectors import CONNECTORS, reference
from services.connectors.rehearsal import rehearsals
from tests.support.tools import ROOT

FOLDERS = {name: ROOT / "services" / "connectors" / name.replace("-", "_") for name in CONNECTORS}
PRODUCT = ("crm", "services", "streams", "projections", "api")
# No vendors: a form is also a source of deals, the API a package of ours, a ring what telephones do, IMAP and SMTP are
# protocols.
GENERIC = {"form", "api", "ring", "imap", "smtp"}
# What people write into forms and name their fields by: "Telegram" is a way to reach somebody, and so is a link to it;
# what they write for an address that they have not; and the marks that mail programs put around what is quoted.
WORDS = (
    "services/connectors/submissions/words.py",
    "services/connectors/submissions/empty_forms.py",
    "services/connectors/mails/safe_html.py",
    "crm/text/placeholders.py",
)
DIGEST = re.compile(r"\b[0-9a-f]{16,}\b")  # whose letters are by chance
PARTS = {
    "webhook": ("webhook.py", "rehearse.py"),
    "poll": ("poll.py", "samples/polled"),
    "activation": ("activate.py",),
    "send": ("send.py", "samples/replies"),
}


def names_in(root: Path, files: list[str]) -> Iterator[str]:
    """Yields each place that names a vendor outside of its folder."""
    names = "|".join(re.escape(name).replace("\\-", "[-_ ]?") for name in CONNECTORS if name not in GENERIC)
    vendors = re.compile(names, re.IGNORECASE)
    own = tuple(f"services/connectors/{name.replace('-', '_')}/" for name in CONNECTORS)
    for file in files:
        if not file.startswith(own) and file not in WORDS:
            lines = (root / file).read_text("utf-8", "replace").splitlines()
            yield from (
                f"{file}:{number}: {line.strip()}"
                for number, line in enumerate(lines, 1)
                if vendors.search(DIGEST.sub("", line))
            )


def test_no_vendor_is_named_outside_of_its_folder() -> None:
    files = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", *PRODUCT], cwd=ROOT, text=True)
    assert list(names_in(ROOT, [file for file in files.split("\n") if (ROOT / file).is_file()])) == []


def test_a_planted_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text('x = 1\nif connector == "liqpay":\n    tell(MonobankPersonal)\n')
    assert list(names_in(tmp_path, ["planted.py"])) == [
        'planted.py:2: if connector == "liqpay":',
        "planted.py:3: tell(MonobankPersonal)",
    ]


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_folder_has_all_its_parts(name: str) -> None:
    parts = ["README.md", *(file for part in catalogue()[name].parts for file in PARTS[part])]
    assert [part for part in parts if not (FOLDERS[name] / part).exists()] == []


def test_who_receives_can_be_rehearsed() -> None:
    assert list(rehearsals()) == [name for name, connector in CONNECTORS.items() if connector.webhook]


@cache  # what vendors share is read once, not for each of them
def imports(file: Path) -> list[list[str]]:
    tree = ast.parse(file.read_text("utf-8"))
    return [node.module.split(".") for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]


@pytest.mark.parametrize("name", CONNECTORS)
def test_no_vendor_imports_another(name: str) -> None:
    others = {folder.name for other, folder in FOLDERS.items() if other != name}
    shared = [file for file in FOLDERS[name].parent.rglob("*.py") if file.parent not in FOLDERS.values()]
    imported = [path for file in (*FOLDERS[name].rglob("*.py"), *shared) for path in imports(file)]
    assert [path for path in imported if path[:2] == ["services", "connectors"] and others & set(path[2:3])] == []


@pytest.mark.parametrize("file", reference.outputs(), ids=lambda file: str(file.name))
def test_what_is_generated_is_current(file: Path) -> None:
    """If this fails: `make events`."""
    assert file.read_text("utf-8") == reference.outputs()[file]
