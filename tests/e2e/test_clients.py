"""The typed clients, generated from the schema as their README says, compile, and their examples run."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from tests.support import rehearse
from tests.support.running_stack import RunningStack
from tests.support.tools import CODEGEN, MODULES, NODE, PYTHON, ROOT, TSC, run

PHONE = {"python": "067 700 33 01", "typescript": "067 700 33 02"}
NUMBERS = count(1)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Copies the clients and generates both."""
    project = tmp_path_factory.mktemp("clients")
    shutil.copytree(ROOT / "api" / "clients", project / "api" / "clients")
    shutil.copy(ROOT / "schema.graphql", project)
    clients = project / "api" / "clients"
    (clients / "typescript" / "node_modules").symlink_to(MODULES)
    run(PYTHON, "-m", "ariadne_codegen", "--config", "ariadne-codegen.toml", cwd=clients / "python")
    run(NODE, CODEGEN, "--config", "codegen.ts", cwd=clients / "typescript")
    yield clients


def mypy(clients: Path, expect: int = 0) -> str:
    options = ["--strict", "--follow-imports=silent", "--config-file=", "--python-executable"]
    return run(sys.executable, "-m", "mypy", *options, PYTHON, "example.py", cwd=clients / "python", expect=expect)


def test_python_is_typed(clients: Path) -> None:
    mypy(clients)
    example = clients / "python" / "example.py"
    text = example.read_text("utf-8")
    example.write_text(text.replace("caller.contact.name if caller.contact", "caller.contact.name if True"))
    assert 'has no attribute "name"' in mypy(clients, expect=1), "a null that is not minded is seen"
    example.write_text(text)


def test_typescript_is_typed(clients: Path) -> None:
    run(NODE, TSC, cwd=clients / "typescript")
    example = clients / "typescript" / "example.ts"
    text = example.read_text("utf-8")
    example.write_text(text.replace("caller.contact?.name", "caller.contact.name"))
    assert "'caller.contact' is possibly 'null'" in run(NODE, TSC, cwd=clients / "typescript", expect=1)
    example.write_text(text)


def test_both_name_the_versions_that_are_tested() -> None:
    mine, tested = (
        json.loads((ROOT / folder / "package.json").read_text()) for folder in ("api/clients/typescript", "tests/node")
    )
    wanted = mine["dependencies"] | mine["devDependencies"]
    assert {name: tested["devDependencies"].get(name) for name in wanted} == wanted


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_the_example_runs(stack: RunningStack, clients: Path, language: str) -> None:
    phone = PHONE[language]
    stack.accepts("form", rehearse.form({"Name": "Клієнт Типізований", "Phone": phone}))
    stack.settle()
    (deal,) = stack.ask("query ($p: String!) { caller(phone: $p) { openDeals { number } } }", p=phone)["caller"][
        "openDeals"
    ]
    program = {"python": (PYTHON, "example.py"), "typescript": (NODE, "example.ts")}[language]
    environment = os.environ | {"GRAPHQL": stack.graphql_url, "TOKEN": stack.token}
    before = stack.subscribers()
    with subprocess.Popen(
        [*map(str, program), phone],
        cwd=clients / language,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as example:
        assert example.stdout
        stack.until_subscribed(before)
        stack.accepts("form", rehearse.form({"Name": "Ще хтось", "Phone": f"067 700 44 {next(NUMBERS):02}"}))
        said = [line.rstrip() for line in islice(example.stdout, 4)]
        example.terminate()
    assert said[:3] == ["Клієнт Типізований", f"D-{deal['number']} Клієнт Типізований: 0.00 UAH, new", "following"]
    assert re.fullmatch(r"D-\d+ is new", said[3]), said
