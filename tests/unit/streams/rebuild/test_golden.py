"""Folds are held against the rows that their version gave when it was committed; each planted change is refused."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import msgspec
import pytest

from crm.events import DealOpened, DealStageMoved, NoteRemoved
from crm.golden_rows import gold
from crm.projection import Projection
from projections import PROJECTIONS
from streams.rebuild.golden import FILE, grown, main, read, write, wrong

DEAL, NOTE = PROJECTIONS["deal"], PROJECTIONS["note"]
KEPT = read()


def folding(projection: Projection[Any], fold: Callable[[Any, Any], Any]) -> Projection[Any]:
    return replace(projection, fold=fold)


def shouting(row: Any, event: Any) -> Any:
    found = DEAL.fold(row, event)
    return msgspec.structs.replace(found, title=found.title.upper()) if found else None


def deaf(row: Any, event: Any) -> Any:
    return row if isinstance(event, DealStageMoved) else DEAL.fold(row, event)


def raising(row: Any, event: Any) -> Any:
    if row and isinstance(event, DealOpened):
        raise ValueError("twice")
    return DEAL.fold(row, event)


def kept_for_ever(row: Any, event: Any) -> Any:
    return row if isinstance(event, NoteRemoved) else NOTE.fold(row, event)


def other_kinds() -> Projection[Any]:
    return replace(DEAL, handles=tuple(kind for kind in DEAL.handles if kind is not DealStageMoved))


def test_what_is_committed_is_what_the_folds_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main([]), capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (folding(DEAL, shouting), "the golden stream's rows differ in title."),
        (folding(DEAL, deaf), "the golden stream's rows differ in stage, stage_reason, touched_at."),
        (folding(DEAL, raising), "the golden stream's rows differ in (raises), "),
        (folding(NOTE, kept_for_ever), "the golden stream's rows differ in author, contact_id, "),
        (other_kinds(), "it folds DealStageMoved otherwise than before."),
    ],
    ids=["a value", "an event", "an error", "a removal", "the events that it takes"],
)
def test_a_fold_that_changed_under_its_version_is_refused(changed: Projection[Any], said: str) -> None:
    (told,) = wrong(KEPT, [changed])
    name, version = changed.name, changed.version
    assert told.startswith(f"Projection {name} has changed and its version is still {version}: {said}")
    assert told.endswith(
        f" Raise `version` in projections/{name}.py, then run `make events`. If version {version} was in no release, "
        f"take {name}_v{version} out of projections/golden.json instead."
    )
    assert grown(KEPT, [changed]) == KEPT, "and writing does not take it either"


def test_a_raised_version_is_written_beside_the_old_one(tmp_path: Path) -> None:
    newer = replace(folding(DEAL, shouting), version=DEAL.version + 1)
    assert list(wrong(KEPT, [newer])) == [f"golden.json has nothing of {newer.table}. Run `make events`."]
    write(grown(KEPT, [newer]), tmp_path / FILE.name)
    kept = read(tmp_path / FILE.name)
    assert kept == {**KEPT, newer.table: gold(newer)}
    assert list(wrong(kept, [newer])) == []
    assert len(list(wrong(kept, [replace(DEAL, version=newer.version)]))) == 1, "no number is used twice"


def test_a_shape_that_is_new_is_added_and_changes_nothing() -> None:
    shapes = gold(DEAL).shapes
    before = {**KEPT, DEAL.table: gold(DEAL, shapes[:-1])}
    assert list(wrong(before, [DEAL])) == []
    assert grown(before, [DEAL]) == KEPT


def test_the_golden_stream_goes_through_every_line_of_every_fold() -> None:
    """Or a change of that line would show itself in no row."""
    missed = {name: lines for name, p in PROJECTIONS.items() if (lines := lines_not_run(p))}
    assert missed == {}


def lines_not_run(projection: Projection[Any]) -> set[int]:
    code = projection.fold.__code__
    run: set[int] = set()

    def trace(frame: FrameType, what: str, _: Any) -> Any:
        if frame.f_code.co_filename != code.co_filename:
            return None
        if what == "line":
            run.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        gold(projection)
    finally:
        sys.settrace(before)
    module = vars(sys.modules[projection.fold.__module__])
    functions = [
        projection.fold,
        *(f for f in module.values() if getattr(f, "__module__", "") == projection.fold.__module__),
    ]
    codes = [c for f in functions if isinstance(c := getattr(f, "__code__", None), CodeType)]
    return {line for c in codes for _, _, line in c.co_lines() if line and line != c.co_firstlineno} - run
