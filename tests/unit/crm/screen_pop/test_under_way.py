"""A call that rings already is shown as its reports would have shown it."""

from typing import Any

import msgspec
import pytest

from crm.scalars import Id, Micros
from crm.screen_pop.under_way import RingingRow, reports_of

ID = Id("11111111-1111-4111-8111-111111111111")


def row(employee: str = "", *legs: dict[str, Any]) -> RingingRow:
    texts = tuple(msgspec.json.encode(leg).decode() for leg in legs)
    return RingingRow(ID, ID, "c", "+380671234567", "067", "044", True, employee, texts, Micros(5))


@pytest.mark.parametrize(
    ("ringing", "rings"),
    [
        (row(), [("", "")]),
        (row("101"), [("", "101")]),
        (row("101", {"leg": "a", "employee": "101"}, {"leg": "b", "employee": "102"}), [("a", "101"), ("b", "102")]),
        (
            row("102", {"leg": "a", "employee": "101", "disposition": "busy"}, {"leg": "b", "employee": "102"}),
            [("b", "102")],
        ),
        (row("", {"leg": "a"}), [("", "")]),
    ],
)
def test_whom_it_rings(ringing: RingingRow, rings: list[tuple[str, str]]) -> None:
    found = list(reports_of(ringing, ID))
    assert [(one.leg, one.employee) for one in found] == rings
    assert {(one.phase, one.direction, one.known, one.meta.occurred_at) for one in found} == {
        ("ringing", "in", True, 5)
    }
