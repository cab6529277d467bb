"""How `make test` spreads the tests over workers."""

from types import SimpleNamespace
from typing import Any

from tests.support.parallel import group_of, in_order, rank


def test_a_file_is_one_group_and_the_shared_stack_another() -> None:
    stories, kills = "tests/e2e/test_stories.py::test_a[b::c]", "tests/e2e/test_kills.py::test_d"
    assert group_of(stories) == group_of(kills) == "tests/e2e"
    assert group_of("tests/e2e/test_up.py::test_a") == "tests/e2e/test_up.py"
    assert group_of("tests/chaos/test_mutants.py::test_a") == "tests/chaos/test_mutants.py::test_a"
    assert group_of("tests/unit/crm/test_money.py::Test::test_a[1/2]") == "tests/unit/crm/test_money.py"


def test_what_takes_long_begins_first() -> None:
    files = ["tests/unit/crm/a.py", "tests/chaos/b.py", "tests/integration/api/c.py", "tests/e2e/d.py"]
    files += ["tests/integration/streams/e.py", "tests/integrationX/f.py"]
    assert [name[-4] for name in sorted(files, key=rank)] == ["d", "e", "b", "c", "a", "f"]


def test_what_fills_the_shared_stack_comes_last_on_it() -> None:
    """The stories read every row twice: after 30,000 bulk facts they took a minute, else seconds."""
    files = ["tests/chaos/a.py", "tests/e2e/test_bulk_facts.py", "tests/e2e/test_stories.py", "tests/e2e/test_any.py"]
    items: list[Any] = [SimpleNamespace(nodeid=f"{file}::test") for file in files]
    assert [item.nodeid[:-6] for item in in_order(items)] == [files[2], files[3], files[1], files[0]]
