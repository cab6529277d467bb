"""A decide role with an injected duplicate: it does not check whether a fact was seen before."""

import runpy
from collections.abc import Sequence

from crm.engine import decide_batch as deciding
from crm.engine.decide_batch import Arrived


def all_of_them(arrived: Sequence[Arrived], new: set[str]) -> tuple[list[Arrived], list[Arrived]]:
    return list(arrived), []


if __name__ == "__main__":
    deciding.unseen = all_of_them
    runpy.run_module("streams.decide", run_name="__main__")
