"""`python -m tests.chaos.raising_fold streams.project` runs project with a deal fold that raises.

It raises at the first DealOpened whose number is a multiple of 1,000, until the file named in CRM_MENDED_FILE is there:
then the role restarts, as after a release with the fixed fold.
"""

import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from crm.envelope import Event, Row
from crm.events import DealOpened
from crm.projection import Projection
from projections import PROJECTIONS

BROKEN = "deal"
EVERY = 1_000


class Raised(Exception):
    """Raised by the broken fold."""


def with_raising_fold(projection: Projection[Any], mended: Callable[[], bool], every: int = EVERY) -> Projection[Any]:
    """Returns the projection with a fold that raises at marked events until it is fixed."""

    def fold(row: Row | None, event: Event) -> Row | None:
        if isinstance(event, DealOpened) and event.number % every == 0 and not mended():
            raise Raised(f"injected at deal {event.number}")
        return projection.fold(row, event)

    return replace(projection, fold=fold)


def main(module: str) -> None:
    mended = Path(os.environ["CRM_MENDED_FILE"])
    PROJECTIONS[BROKEN] = with_raising_fold(PROJECTIONS[BROKEN], mended.exists)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])
