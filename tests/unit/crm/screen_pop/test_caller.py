"""Who is calling is certain only when one contact has the number, and was known before the call."""

from typing import Any

import pytest

from crm.scalars import Id
from crm.screen_pop.caller import CallRead, ContactRead, DealRead, Found, caller
from crm.screen_pop.employees import Employee

OWN, OLENA, PETRO = (Id(f"{n}0000000-0000-4000-8000-000000000000") for n in range(3))


def found(*ids: Id, **more: Any) -> Found:
    return Found(contacts=tuple(ContactRead(id, id[:1]) for id in ids), **more)


@pytest.mark.parametrize(
    ("read", "card", "known", "match", "contacts"),
    [
        (found(OLENA), OLENA, True, "certain", [OLENA]),
        (found(OLENA, call=CallRead(known=True)), OLENA, False, "certain", [OLENA]),
        (found(OLENA, doubted=True), OLENA, True, "uncertain", [OLENA]),
        (found(OLENA, PETRO), OLENA, True, "uncertain", [OLENA, PETRO]),
        (found(OLENA, PETRO, OWN), OWN, False, "uncertain", [OLENA, PETRO]),
        (found(OLENA, OWN), OWN, False, "uncertain", [OLENA]),  # the decision did not believe that it is hers
        (found(OWN), OWN, False, "none", []),
        (found(), OWN, False, "none", []),
        (found(), OLENA, True, "certain", [OLENA]),  # the row has not come yet
    ],
)
def test_the_match(read: Found, card: Id, known: bool, match: str, contacts: list[Id]) -> None:
    said = caller(read, card, known)
    assert (said["match"], [one["contact_id"] for one in said["contacts"]]) == (match, contacts)


def test_the_owner_is_that_of_the_last_changed_open_deal_which_has_one() -> None:
    deals = tuple(DealRead(Id(str(n)), n, "", "new", 105, "JPY", who) for n, who in enumerate(("", "iryna", "taras")))
    read = Found((Employee("iryna", "Iryna"),), contacts=(ContactRead(OLENA, "Olena", deals),))
    (shown,) = caller(read, OLENA, True)["contacts"]
    assert shown["owner"] == {"key": "iryna", "name": "Iryna"}
    assert [deal["amount"] for deal in shown["open_deals"]] == ["105 JPY"] * 3
