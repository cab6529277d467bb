"""A decide role with a planted duplicate: it does not look whether it has seen a fact before."""

import runpy
from collections.abc import Sequence

from crm.engine import decide_batch as deciding
from crm.engine.decide_batch import Arrived


def all_of_them(arrived: Sequence[Arrived], new: set[str]) -> tuple[list[Arrived], list[Arrived]]:
    return list(arrived), []


if __name__ == "__main__":
    deciding.unseen = all_of_them
    runpy.run_module("streams.decide", run_name="__main__")
