"""The laws of the root: each finds what breaks it in a tree, is seen to find a planted offence, then is applied."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from crm.contract.generate import BASES, render
from tests.support.private_words import main as lint_words
from tests.support.private_words import private_words
from tests.support.tools import ROOT

ROOMS = ("crm", "services", "streams", "projections", "api")
LONGEST = 300  # lines of a file
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "models", "misc"}
GENERATED = ("crm/shared.py", "crm/facts.py", "crm/events.py")  # as long as the contract is
IGNORE = re.compile(r"#\s*type:\s*ignore")
REASONED = re.compile(r"#\s*type:\s*ignore\[[\w, -]+\]\s+#\s*\S+")
SLEEP = re.compile(r"\b(?:time|asyncio|anyio|trio)\s*\.\s*sleep\s*\(|\bfrom\s+(?:time|asyncio)\s+import\b.*\bsleep\b")
SHORT = re.compile(
    r"\b(?:ws|websocket)\.recv\(\d|\.(?:wait|join)\(\d\d?\)|\bTimer\(\d|\buntil\(.*, \d\d?\)"
    r"|\bhttpx\.(?:get|post|stream|Client|AsyncClient)\((?!.*\b(?:timeout|transport)=|$)"
)
SAID = re.compile(r"\b(?:[Nn]othing|No \w+) (?:is|was)\b|\bstays what it was\b|\b(?:KEPT|NOTHING|message|why)\b")
ZONES = re.compile(
    r"\b(?:ZoneInfo|tz\.gettz|pytz\.timezone)\s*\(|\b(?:convert|replace)_time_zone\b|(?i:at\s+time\s+zone\s+(?!'utc'))"
)


def modules(root: Path, *folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (root / folder).rglob("*.py"))


def numbered(root: Path, files: Iterable[Path], offends: Callable[[str], object]) -> list[str]:
    """file:line of each line that offends."""
    return [
        f"{file.relative_to(root)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if offends(line)
    ]


def taken_names(owners: dict[str, list[str]]) -> list[str]:
    """Rooms whose import name an installed distribution of somebody else owns too."""
    return [
        f"{room} is also of {', '.join(o)}" for room in ROOMS if (o := sorted(set(owners.get(room, ())) - {"potik"}))
    ]


def too_long(root: Path) -> list[str]:
    lengths = {file: len(file.read_text().splitlines()) for file in modules(root, *ROOMS, "tests")}
    long = {str(file.relative_to(root)): lines for file, lines in lengths.items() if lines > LONGEST}
    return [f"{name} has {lines} lines" for name, lines in long.items() if name not in GENERATED]


def without_a_first_sentence(root: Path) -> list[str]:
    """Modules that do not open with one sentence on what they are."""
    wrong = []
    for file in modules(root, *ROOMS, "tests"):
        tree = ast.parse(file.read_text())
        opening = (ast.get_docstring(tree) or "").split("\n\n")[0].strip()
        if tree.body and not opening.endswith((".", ":", "`")):
            wrong.append(str(file.relative_to(root)))
    return wrong


def unreasoned_ignores(root: Path) -> list[str]:
    return numbered(
        root, modules(root, *ROOMS, "tests"), lambda line: IGNORE.search(line) and not REASONED.search(line)
    )


def vague_names(root: Path) -> list[str]:
    files = modules(root, *ROOMS, "tests")
    return [str(f.relative_to(root)) for f in files if VAGUE & {f.stem, *f.relative_to(root).parts}]


def sleeps(root: Path) -> list[str]:
    """Tests that wait for time to pass instead of a position."""
    return numbered(root, untimed(root), SLEEP.search)


def untimed(root: Path) -> list[Path]:
    """All of tests but the harness of chaos and the benchmarks, which keep time."""
    keep_time = {root / "tests" / "chaos", root / "tests" / "bench"}
    return [f for f in modules(root, "tests") if f.name.startswith("test_") or not keep_time & {*f.parents}]


def short_of_patience(root: Path) -> list[str]:
    """Tests that give up on what must come sooner than tests.support.timeouts says; httpx does after five seconds."""
    return numbered(root, untimed(root), SHORT.search)


def zone_rules(root: Path) -> list[str]:
    """Where the rules of the system, of polars or of a database would decide an hour: crm.zones alone does."""
    files = [file for file in modules(root, *ROOMS) if file != root / "crm" / "zones.py"]
    return numbered(root, [*files, *sorted((root / "crm").rglob("*.sql"))], ZONES.search)


def unmerged(root: Path) -> list[str]:
    """Marks of a merge that was not resolved, in prose: in code they are an error of syntax."""
    prose = [*root.glob("*.md"), *(file for room in ("docs", *ROOMS, "tests") for file in (root / room).rglob("*.md"))]
    return numbered(root, sorted(prose), re.compile(r"(?:<{7,}|>{7,}|\|{7,}) \S").match)


def named_versions(root: Path) -> list[str]:
    """Where the table of one version is named: the next version is another table, and nothing would come there."""
    return numbered(root, modules(root, *ROOMS), re.compile(r"\bread\.[a-z_]+_v\d").search)


def unsaid(root: Path) -> list[str]:
    """Refusals of a command that do not say what was kept."""
    return [
        f"{file.relative_to(root)}:{call.lineno}"
        for file in modules(root, *ROOMS)
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Rejected" and len(call.args) == 3
        if isinstance(call.args[2], ast.JoinedStr | ast.Constant) and not SAID.search(ast.unparse(call.args[2]))
    ]


def forbidden_imports(root: Path) -> str:
    """What import-linter says, if a contract of pyproject.toml is broken."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", command], cwd=root, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    return (said.partition("Broken contracts\n")[2] or said) if done.returncode else ""


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


SLEEPER = "time" + ".sleep"  # in two parts, or this file would offend
BARE = "# type:" + " ignore"
OFFENCES = [
    (
        too_long,
        {"crm/a.py": "x\n" * 300, "crm/b.py": "x\n" * 301, "crm/events.py": "x\n" * 301},
        ["crm/b.py has 301 lines"],
    ),
    (
        without_a_first_sentence,
        {
            "api/a.py": '"""A sentence.\n\nMore"""\n',
            "api/b.py": "x = 1\n",
            "api/c.py": '"""No end\n\nA sentence."""\n',
            "api/__init__.py": "",
        },
        ["api/b.py", "api/c.py"],
    ),
    (
        unreasoned_ignores,
        {"crm/a.py": f"x = 1  {BARE}\ny = 1  {BARE}[arg-type]\nz = 1  {BARE}[arg-type]  # a wrong stub\n"},
        ["crm/a.py:1", "crm/a.py:2"],
    ),
    (
        vague_names,
        {"crm/utils.py": "", "api/models/deal.py": "", "tests/helpers.py": "", "crm/model.py": ""},
        ["api/models/deal.py", "crm/utils.py", "tests/helpers.py"],
    ),
    (
        sleeps,
        {
            "tests/a.py": f"import time\n{SLEEPER}(1)\n",
            "tests/b.py": "await asyncio" + ".sleep(0.1)\n",
            "tests/c.py": "from time " + "import monotonic, sleep\n",
            "tests/d.py": "sleepy = 1\n",
            "tests/bench/paced_queries.py": "await asyncio" + ".sleep(0.1)\n",
            "tests/bench/test_paced.py": "await asyncio" + ".sleep(0.1)\n",
        },
        ["tests/a.py:2", "tests/b.py:1", "tests/bench/test_paced.py:1", "tests/c.py:1"],
    ),
    (
        short_of_patience,
        {
            "tests/a.py": "ws" + ".recv(5)\nraw.recv(12)\nws.recv(PATIENCE)\n",
            "tests/b.py": "httpx" + ".get(url, trust_env=False)\nhttpx.get(url, timeout=PATIENCE)\n",
            "tests/c.py": "process" + ".wait" + "(20)\nevent.wait()\n" + "await until" + "(missing, 60)\n",
        },
        ["tests/a.py:1", "tests/b.py:1", "tests/c.py:1", "tests/c.py:3"],
    ),
    (
        zone_rules,
        {
            "crm/zones.py": "ZoneInfo(name)\n",
            "crm/a.py": "from zoneinfo import ZoneInfo\nat.astimezone(ZoneInfo(name))\n",
            "streams/b.py": "frame.dt.convert_time_zone(name)\n",
            "crm/adapters/c.sql": "SELECT at AT TIME ZONE 'UTC',\nat at time zone 'Europe/Kyiv'\n",
        },
        ["crm/a.py:2", "crm/adapters/c.sql:2", "streams/b.py:1"],
    ),
    (
        unmerged,
        {
            "README.md": "<" * 7 + " HEAD\nours\n=======\ntheirs\n" + ">" * 8 + " abc (Theirs)\n> a quotation\n",
            "docs/a.md": "Title\n=======\n",
        },
        ["README.md:1", "README.md:5"],
    ),
    (
        named_versions,
        {"services/a.py": "SELECT id\nFROM read." + "quarantine_v3\nFROM read.quarantine\nread.{table}_v3\n"},
        ["services/a.py:2"],
    ),
    (
        unsaid,
        {
            "crm/a.py": 'Rejected("key", TAKEN, "Taken.")\nRejected("key", TAKEN, f"{key} is taken. {KEPT}")\n'
            'Rejected("key", TAKEN, why)\nRejected("key", TAKEN, "It is taken. Nothing was changed.")\n'
        },
        ["crm/a.py:1"],
    ),
]
LAWS = [law for law, _, _ in OFFENCES]


@pytest.mark.parametrize(("law", "files", "found"), OFFENCES, ids=[law.__name__ for law in LAWS])
def test_a_planted_offence_is_found(
    tmp_path: Path, law: Callable[[Path], list[str]], files: dict[str, str], found: list[str]
) -> None:
    assert sorted(law(plant(tmp_path, files))) == found


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_the_tree_keeps_its_rule(law: Callable[[Path], list[str]]) -> None:
    found = law(ROOT)
    assert not found, "\n".join([law.__name__, *found])


def test_private_words_are_found_and_there_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    always, again, said, metaphor = "for " + "ever", "an" + "ew", "to" + "ld", "do" + "or"
    root = plant(
        tmp_path,
        {
            "crm/desk.py": f'"""Waits {always}."""\nby_{metaphor} = {said}_twice = file.tell()\n',
            "docs/a.md": f"It is done {again}.\n<!-- topics: x -->\n{always}\n<!-- topics: x -->\n",
        },
    )
    found = [hit.partition(" ->")[0] for name in ("crm/desk.py", "docs/a.md") for hit in private_words(root, name)]
    assert found == [
        "crm/desk.py:0: desk in the name of a file",
        f"crm/desk.py:1: {always}",
        f"crm/desk.py:2: by_{metaphor}",
        f"crm/desk.py:2: {said}_twice",
        f"docs/a.md:1: {again}",
    ]
    assert lint_words([]) == 0, capsys.readouterr().out


def test_nobody_else_owns_the_name_of_a_room() -> None:
    """`crm`, `api`, `services` are names that others publish too: with one installed, imports would mix."""
    assert taken_names({"crm": ["potik", "other-crm"], "api": ["potik"]}) == ["crm is also of other-crm"]
    assert taken_names({name: list(owners) for name, owners in packages_distributions().items()}) == []


def test_imports_point_one_way(tmp_path: Path) -> None:
    """Each contract of pyproject.toml finds a planted offence in a small tree of the same shape."""
    packages = "services/connectors services/intake crm/decisions crm/adapters crm/engine tests tests/support"
    packages += " streams/decide streams/relay streams/project streams/rebuild streams/replay streams/cutover"
    circles = "tests/support/import_circles.py"
    planted = {f"{room}/__init__.py": "" for room in (*ROOMS, *packages.split())} | {
        "crm/wrong.py": "import projections\n",
        "crm/adapters/wrong.py": "import crm.engine\n",
        "crm/left.py": "import crm.right\n",
        "crm/right.py": "import crm.left\n",
        "services/intake/wrong.py": "import psycopg\n",
        "projections/wrong.py": "import faust\n",
        "pyproject.toml": (ROOT / "pyproject.toml").read_text(),
        circles: (ROOT / circles).read_text(),
    }
    said = forbidden_imports(plant(tmp_path, planted))
    assert "crm is not allowed to import projections" in said
    assert "crm.adapters is not allowed to import crm.engine" in said
    assert "services.intake is not allowed to import psycopg" in said
    assert "projections is not allowed to import faust" in said
    assert "These import each other: crm.left, crm.right." in said
    said = forbidden_imports(ROOT)
    assert not said, said


def test_generated_files_are_up_to_date() -> None:
    """tests/contract/test_generated.py has the same law for the ids, the golden records and the docs."""
    assert {f"crm/{folder}.py": render(folder) for folder in BASES} == {
        file: (ROOT / file).read_text() for file in GENERATED
    }
