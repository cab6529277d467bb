"""Which worker of `pytest -n` runs which tests: a file is not split, and all end-to-end tests share one stack."""

from collections.abc import Iterable
from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

# The longest first, so that short ones fill the gaps at the end. The last are pure and take what is left.
ORDER = ("tests/e2e", "tests/integration/streams", "tests/chaos", "tests/integration")
OWN_STACK = "tests/e2e/test_up.py"  # its tests start and stop one, in order
LEAVES_MUCH = ("tests/e2e/test_bulk_facts.py", "tests/e2e/test_open_api_bench.py")  # which others would read along
EACH_ITS_OWN_STACK = ("tests/chaos/test_mutants.py", "tests/chaos/test_chaos.py")


def group_of(nodeid: str) -> str:
    """The tests that run on one worker, one after the other, are those of one group."""
    file = nodeid.partition("::")[0]
    if file in EACH_ITS_OWN_STACK:
        return nodeid
    return "tests/e2e" if file.startswith("tests/e2e/") and file != OWN_STACK else file


def rank(nodeid: str) -> int:
    return next((n for n, folder in enumerate(ORDER) if nodeid.startswith(f"{folder}/")), len(ORDER))


def in_order(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Sorted by rank; of equal rank, as they were collected, but last those that fill the stack which they share."""
    return sorted(items, key=lambda item: (rank(item.nodeid), item.nodeid.startswith(LEAVES_MUCH)))


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands each worker whole groups, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
