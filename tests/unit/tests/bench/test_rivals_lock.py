"""Rivals of the benchmarks have a lock of their own: nothing that the project installs needs them."""

import re

from tests.support.tools import ROOT

LOCKS = ("requirements.lock", "requirements-up.lock", "requirements-run.lock")
RIVALS = ROOT / "tests" / "bench" / "rivals"


def packages(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_no_lock_of_the_project_has_a_rival() -> None:
    wanted = re.findall(r"^([\w-]+)>=", (RIVALS / "requirements.in").read_text(), re.MULTILINE)
    assert wanted == ["eventsourcing", "quixstreams"]
    assert {*wanted} <= packages("tests/bench/rivals/requirements.lock").keys()
    assert [(lock, name) for lock in LOCKS for name in wanted if name in packages(lock)] == []


def test_a_rival_decodes_with_the_projects_own_versions() -> None:
    ours, theirs = packages("requirements.lock"), packages("tests/bench/rivals/requirements.lock")
    assert {name: version for name, version in theirs.items() if ours.get(name, version) != version} == {}


def test_the_rivals_lock_names_no_index() -> None:
    assert not re.search(r"://|--index|--find-links", (RIVALS / "requirements.lock").read_text())


def test_locks_of_npm_name_no_address() -> None:
    locks = [*(ROOT / "tests" / "bench").rglob("package-lock.json")]
    assert {lock.parent.name for lock in locks} == {"postgraphile", "emmett"}
    assert [str(lock) for lock in locks if '"resolved"' in lock.read_text()] == []
