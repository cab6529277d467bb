"""The laws of the house: each finds what breaks it in a tree, is seen to find a planted offence, then is applied."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from statistics import median

import pytest

from crm.contract.generate import BASES, render
from tests.support.tools import ROOT

ROOMS = ("crm", "services", "streams", "projections", "api")
LONGEST, MEDIAN = 300, 80  # lines of a file
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "models", "misc"}
GENERATED = ("crm/shared.py", "crm/facts.py", "crm/events.py")  # as long as the contract is
IGNORE = re.compile(r"#\s*type:\s*ignore")
REASONED = re.compile(r"#\s*type:\s*ignore\[[\w, -]+\]\s+#\s*\S+")
SLEEP = re.compile(r"\b(?:time|asyncio|anyio|trio)\s*\.\s*sleep\s*\(|\bfrom\s+(?:time|asyncio)\s+import\b.*\bsleep\b")
SHORT = re.compile(
    r"\b(?:ws|websocket)\.recv\(\d|\.(?:wait|join)\(\d\d?\)|\bTimer\(\d|\buntil\(.*, \d\d?\)"
    r"|\bhttpx\.(?:get|post|stream|Client|AsyncClient)\((?!.*\b(?:timeout|transport)=|$)"
)
ZONES = re.compile(
    r"\b(?:ZoneInfo|tz\.gettz|pytz\.timezone)\s*\(|\b(?:convert|replace)_time_zone\b|(?i:at\s+time\s+zone\s+(?!'utc'))"
)


def modules(house: Path, *folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (house / folder).rglob("*.py"))


def numbered(house: Path, files: Iterable[Path], offends: Callable[[str], object]) -> list[str]:
    """file:line of each line that offends."""
    return [
        f"{file.relative_to(house)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if offends(line)
    ]


def taken_names(owners: dict[str, list[str]]) -> list[str]:
    """Rooms whose import name an installed distribution of somebody else owns too."""
    return [
        f"{room} is also of {', '.join(o)}" for room in ROOMS if (o := sorted(set(owners.get(room, ())) - {"potik"}))
    ]


def too_long(house: Path) -> list[str]:
    lengths = {file: len(file.read_text().splitlines()) for file in modules(house, *ROOMS, "tests")}
    long = {str(file.relative_to(house)): lines for file, lines in lengths.items() if lines > LONGEST}
    return [f"{name} has {lines} lines" for name, lines in long.items() if name not in GENERATED]


def usual_length(house: Path) -> float:
    """The median of lines of the modules that hold something."""
    lengths = [len(file.read_text().splitlines()) for file in modules(house, *ROOMS)]
    return median([lines for lines in lengths if lines] or [0])


def without_a_first_sentence(house: Path) -> list[str]:
    """Modules that do not open with one sentence on what they are."""
    wrong = []
    for file in modules(house, *ROOMS, "tests"):
        tree = ast.parse(file.read_text())
        opening = (ast.get_docstring(tree) or "").split("\n\n")[0].strip()
        if tree.body and not opening.endswith((".", ":", "`")):
            wrong.append(str(file.relative_to(house)))
    return wrong


def unreasoned_ignores(house: Path) -> list[str]:
    return numbered(
        house, modules(house, *ROOMS, "tests"), lambda line: IGNORE.search(line) and not REASONED.search(line)
    )


def vague_names(house: Path) -> list[str]:
    files = modules(house, *ROOMS, "tests")
    return [str(f.relative_to(house)) for f in files if VAGUE & {f.stem, *f.relative_to(house).parts}]


def sleeps(house: Path) -> list[str]:
    """Tests that wait for time to pass instead of a position."""
    return numbered(house, untimed(house), SLEEP.search)


def untimed(house: Path) -> list[Path]:
    """All of tests but the harness of chaos and the benchmarks, which keep time."""
    keep_time = {house / "tests" / "chaos", house / "tests" / "bench"}
    return [f for f in modules(house, "tests") if f.name.startswith("test_") or not keep_time & {*f.parents}]


def short_of_patience(house: Path) -> list[str]:
    """Tests that give up on what must come sooner than tests.support.patience says; httpx does after five seconds."""
    return numbered(house, untimed(house), SHORT.search)


def zone_rules(house: Path) -> list[str]:
    """Where the rules of the system, of polars or of a database would decide an hour: crm.zones alone does."""
    files = [file for file in modules(house, *ROOMS) if file != house / "crm" / "zones.py"]
    return numbered(house, [*files, *sorted((house / "crm").rglob("*.sql"))], ZONES.search)


def forbidden_imports(house: Path) -> str:
    """What import-linter says, if a contract of pyproject.toml is broken."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", command], cwd=house, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    return (said.partition("Broken contracts\n")[2] or said) if done.returncode else ""


def plant(house: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text)
    return house


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
            "tests/bench/paced.py": "await asyncio" + ".sleep(0.1)\n",
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
]
LAWS = [law for law, _, _ in OFFENCES]


@pytest.mark.parametrize(("law", "files", "found"), OFFENCES, ids=[law.__name__ for law in LAWS])
def test_a_planted_offence_is_found(
    tmp_path: Path, law: Callable[[Path], list[str]], files: dict[str, str], found: list[str]
) -> None:
    assert sorted(law(plant(tmp_path, files))) == found


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_the_house_keeps_its_law(law: Callable[[Path], list[str]]) -> None:
    found = law(ROOT)
    assert not found, "\n".join([law.__name__, *found])


def test_files_are_short(tmp_path: Path) -> None:
    assert usual_length(plant(tmp_path, {"crm/a.py": "x\n" * 10, "crm/b.py": "x\n" * 90, "crm/__init__.py": ""})) == 50
    assert usual_length(ROOT) <= MEDIAN


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
