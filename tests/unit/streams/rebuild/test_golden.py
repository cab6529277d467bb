"""Folds are compared with the rows that their version yielded when committed; each planted change is refused."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import msgspec
import pytest

from crm.events import DealOpened, DealStageMoved, NoteRemoved
from crm.golden_rows import golden_rows
from crm.projection import Projection
from projections import PROJECTIONS
from streams.rebuild.golden import FILE, extended, main, problems, read, write

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


def never_removing(row: Any, event: Any) -> Any:
    return row if isinstance(event, NoteRemoved) else NOTE.fold(row, event)


def other_kinds() -> Projection[Any]:
    return replace(DEAL, handles=tuple(kind for kind in DEAL.handles if kind is not DealStageMoved))


def test_what_is_committed_is_what_the_folds_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main([]), capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (folding(DEAL, shouting), "the golden stream's rows differ in title."),
        (folding(DEAL, deaf), "the golden stream's rows differ in closed_at, stage, stage_reason."),
        (folding(DEAL, raising), "the golden stream's rows differ in (raises), "),
        (folding(NOTE, never_removing), "the golden stream's rows differ in author, contact_id, "),
        (other_kinds(), "it folds DealStageMoved otherwise than before."),
    ],
    ids=["a value", "an event", "an error", "a removal", "the events that it takes"],
)
def test_a_fold_that_changed_under_its_version_is_refused(changed: Projection[Any], said: str) -> None:
    (sentence,) = problems(KEPT, [changed])
    name, version = changed.name, changed.version
    assert sentence.startswith(f"Projection {name} has changed and its version is still {version}: {said}")
    assert sentence.endswith(
        f" Raise `version` in projections/{name}.py, then run `make events`. If version {version} was in no release, "
        f"remove {name}_v{version} from projections/golden.json instead."
    )
    assert extended(KEPT, [changed]) == KEPT, "and writing does not take it either"


def test_a_new_version_is_added_to_the_old_one(tmp_path: Path) -> None:
    newer = replace(folding(DEAL, shouting), version=DEAL.version + 1)
    assert list(problems(KEPT, [newer])) == [f"golden.json has no digests of {newer.table}. Run `make events`."]
    write(extended(KEPT, [newer]), tmp_path / FILE.name)
    kept = read(tmp_path / FILE.name)
    assert kept == {**KEPT, newer.table: golden_rows(newer)}
    assert list(problems(kept, [newer])) == []
    assert len(list(problems(kept, [replace(DEAL, version=newer.version)]))) == 1, "no number is used twice"


def test_a_shape_that_is_new_is_added_and_changes_nothing() -> None:
    shapes = golden_rows(DEAL).shapes
    before = {**KEPT, DEAL.table: golden_rows(DEAL, shapes[:-1])}
    assert list(problems(before, [DEAL])) == []
    assert extended(before, [DEAL]) == KEPT


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
        golden_rows(projection)
    finally:
        sys.settrace(before)
    module = vars(sys.modules[projection.fold.__module__])
    functions = [
        projection.fold,
        *(f for f in module.values() if getattr(f, "__module__", "") == projection.fold.__module__),
    ]
    codes = [c for f in functions if isinstance(c := getattr(f, "__code__", None), CodeType)]
    return {line for c in codes for _, _, line in c.co_lines() if line and line != c.co_firstlineno} - run
