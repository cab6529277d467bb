"""How `make test` spreads the tests over workers."""

from tests.support.parallel import group_of, rank


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
