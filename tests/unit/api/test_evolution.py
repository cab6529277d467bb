"""Breaking changes of the released schema; each is planted and found."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from api import evolution
from api.evolution import EMPTY, declare, problems, read, release

RELEASED = "type Query { deal(id: ID!): String, number: Int } enum Stage { NEW WON } input Find { name: String }"
GONE = "Field Query.number was removed."
DECLARED: dict[str, Any] = {"change": GONE, "date": date(2026, 11, 25), "reason": "Nobody asks."}
TODAY = "type Query { deal(id: ID!): String } enum Stage { NEW WON } input Find { name: String }"


def found(now: str, *declared: dict[str, Any]) -> list[str]:
    return problems(build_schema(RELEASED), build_schema(now), list(declared))


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (", number: Int", "", "Field Query.number was removed."),
        ("number: Int", "number: String", "Field Query.number changed type from Int to String."),
        ("id: ID!", "id: ID!, of: ID!", "A required argument Query.deal(of:) was added."),
        (" WON", "", "Enum value Stage.WON was removed."),
        ("name: String", "name: String, is: ID!", "A required field Find.is was added."),
        ("enum Stage { NEW WON }", "", "Stage was removed."),
    ],
)
def test_a_break_is_found(was: str, becomes: str, said: str) -> None:
    assert found(RELEASED.replace(was, becomes)) == [f"{said} Undo it, or declare it in breaks.toml."]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("number: Int", "number: Int!, more: Int"),
        ("id: ID!", "id: ID"),
        (" WON", " WON LOST"),
        (" name", " n: ID name"),
    ],
)
def test_compatible_changes_need_no_declaration(was: str, becomes: str) -> None:
    assert found(RELEASED.replace(was, becomes)) == []


def test_a_break_is_declared_with_its_date_and_reason() -> None:
    assert found(TODAY, DECLARED) == []
    wanting = ["Field Query.number was removed. Its declaration needs `date` and `reason`."]
    assert found(TODAY, {**DECLARED, "reason": " "}) == found(TODAY, {**DECLARED, "date": "soon"}) == wanting
    assert found(RELEASED, DECLARED) == [
        "breaks.toml declares a change that breaks nothing: Field Query.number was removed."
    ]


@pytest.mark.parametrize(
    ("reason", "fits"),
    [
        ("Since 2026-11-25, until 2027-05-25: use `count`.", True),
        ("Since 2026-11-25, until 2026-11-25: use `count`.", False),
        ("Since 2026-11-25, until 2027-02-30: use `count`.", False),
        ("Use `count`.", False),
        ("No longer supported", False),
    ],
)
@pytest.mark.parametrize("place", ["Query.number", "Stage.WON", "Find.name", "Query.deal(id:)"])
def test_a_deprecation_carries_its_dates(place: str, reason: str, fits: bool) -> None:
    was = {"Query.number": "Int", "Stage.WON": "WON", "Find.name": "name: String", "Query.deal(id:)": "id: ID"}[place]
    text = RELEASED.replace("id: ID!", "id: ID").replace(was, f'{was} @deprecated(reason: "{reason}")', 1)
    assert found(text) == ([] if fits else [f"{place} is deprecated without dates: {reason!r}"])


def test_the_schema_keeps_its_promises() -> None:
    assert problems(*read()) == [], 'Keep it, or say why: python -m api.evolution declare "why"'


def test_declaring_and_releasing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"RELEASED": RELEASED, "NOW": TODAY, "BREAKS": EMPTY}.items():
        monkeypatch.setattr(evolution, name, tmp_path / name)
        (tmp_path / name).write_text(text)
    assert len(problems(*read())) == 1
    declare('Nobody "asks".')
    declare("Declared twice.")
    assert [(one["change"], one["reason"]) for one in read()[2]] == [(GONE, 'Nobody "asks".')]
    assert problems(*read()) == []
    release()
    assert read()[2] == [] == problems(*read())
