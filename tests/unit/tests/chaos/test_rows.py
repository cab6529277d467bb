"""The third invariant catches a changed, a missing and an invented row, a kopeck too much, a forgotten thing."""

import dataclasses
from collections import Counter
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from crm.engine.in_memory import rebuilt
from crm.envelope import Row, named_id
from crm.scalars import Id
from projections import PROJECTIONS
from tests.chaos.invariants import decide_state, money, rows
from tests.support.reference_run import ROOT, TENANTS, events, journal, ledger

SHOP = TENANTS[0].workspace
# Of which no story tells.
BY_HAND = {
    "connection",
    "deal_line",
    "field",
    "note",
    "object",
    "object_type",
    "owner",
    "parcel",
    "stage_rule",
    "task",
    "token",
    "webhook",
}


def rows_of(name: str) -> list[tuple[Id, Row]]:
    """As Postgres would give them."""
    return [(workspace, row) for (workspace, _), row in rows.fold_journal(PROJECTIONS[name], journal(events())).items()]


def found(name: str, stored: list[tuple[Id, Row]]) -> list[str]:
    projection = PROJECTIONS[name]
    return rows.compare_rows(projection, rows.fold_journal(projection, journal(events())), stored)


@pytest.mark.parametrize("name", sorted(PROJECTIONS.keys() - BY_HAND))
def test_true_rows_hold(name: str) -> None:
    assert rows_of(name)
    assert found(name, rows_of(name)) == []


def test_a_changed_row_is_caught() -> None:
    has = rows_of("conversation")
    workspace, row = has[3]
    count: int = row.message_count  # type: ignore[attr-defined]  # the row's class is known at run time
    has[3] = workspace, replace(row, message_count=count + 1)
    id = row.conversation_id  # type: ignore[attr-defined]  # the same
    assert found("conversation", has) == [
        f"1 rows of conversation are not what the journal gives: {id} (message_count is {count + 1}, not {count})."
    ]


def test_a_missing_and_an_invented_row_are_caught() -> None:
    has = rows_of("timeline")
    workspace, row = has.pop()
    stray = named_id(ROOT, "stray")
    has.append((workspace, replace(row, entry_id=stray)))
    id = row.entry_id  # type: ignore[attr-defined]  # the row's class is known at run time
    assert found("timeline", has) == [
        f"1 rows of timeline are missing: {id}.",
        f"1 rows of timeline follow from no event: {stray}.",
    ]


def test_a_row_of_another_workspace_is_caught() -> None:
    has = rows_of("deal")
    _, row = has[0]
    has[0] = ROOT, row
    assert len(found("deal", has)) == 2


def test_json_is_compared_by_its_meaning() -> None:
    """jsonb gives back {"a": 1} for {"a":1}: the first comparison by text found every nested field changed."""
    deal = PROJECTIONS["deal"]
    rows_by_key = rows.fold_journal(deal, journal(events()))
    (workspace, _), row = next((k, r) for k, r in rows_by_key.items() if "delivery" in r.fields)  # type: ignore[attr-defined]  # its class is known at run time
    fields: dict[str, str] = row.fields  # type: ignore[attr-defined]  # the same
    same = fields | {"delivery": '{"floor": 4.50, "city": "Львів"}'}
    other = fields | {"delivery": '{"floor": 4.51, "city": "Львів"}'}
    assert rows.differences(deal, replace(row, fields=same), row) == []
    assert len(rows.differences(deal, replace(row, fields=other), row)) == 1
    assert workspace in {tenant.workspace for tenant in TENANTS}


def test_a_fold_that_raises_is_a_broken_law() -> None:
    def fold(row: Any, event: Any) -> None:
        raise ValueError("injected")

    projection = dataclasses.replace(PROJECTIONS["deal"], fold=fold)
    (said,) = rows.broken(None, projection, journal(events()))  # type: ignore[arg-type]  # it never gets to Postgres
    assert said == "The journal cannot be folded into deal: ValueError('injected')"


def things() -> decide_state.States:
    return rebuilt(journal(events()).events)


def kept() -> list[tuple[Id, str, str]]:
    return [
        (workspace, f"{kind}/{key}", msgspec.json.encode(entity).decode())
        for workspace, entities in things().items()
        for (kind, key), entity in entities.items()
    ]


def test_true_state_holds() -> None:
    assert decide_state.compare_state(things(), kept()) == []


def test_state_that_is_not_the_journal_s_is_caught() -> None:
    has = kept()
    place = next(n for n, (_, name, _) in enumerate(has) if name.startswith("Numbers/"))
    workspace, name, text = has[place]
    has[place] = workspace, name, text.replace('"deals":', '"deals":1')
    forgotten = has.pop(place - 1)
    has.append((workspace, "Contact/nobody", "{}"))
    missing, strange, different = decide_state.compare_state(things(), has)
    assert missing == f"1 things are missing in core.state: {forgotten[1]}."
    assert strange == "1 things in core.state follow from no event: Contact/nobody."
    assert different.startswith("1 things in core.state are not what the journal gives: Numbers/ is Numbers(deals=1")


def test_a_fact_that_was_forgotten_and_one_without_effect_are_caught() -> None:
    first, second, third = (named_id(ROOT, name) for name in "abc")
    assert decide_state.compare_facts_seen({first, second}, [second, first]) == []
    assert decide_state.compare_facts_seen({first, second}, [second, third]) == [
        f"1 causes in the journal are not in core.fact_seen: {first}.",
        f"1 facts of core.fact_seen have no event in the journal: {third}.",
    ]


def test_true_money_holds() -> None:
    journal_sums = money.in_journal(journal(events()))
    assert journal_sums.settled.total() > 0 < journal_sums.deals.total()
    assert journal_sums.paid.total() > 0
    assert money.broken(ledger(), journal_sums, journal_sums) == []


@pytest.mark.parametrize(
    ("sums", "what", "who"),
    [
        ("settled", "What payments brought", "ledger"),
        ("deals", "What deals are worth", "ledger"),
        ("paid", "What is paid for deals", "payments"),
    ],
)
def test_a_kopeck_off_in_a_projection_is_caught(sums: str, what: str, who: str) -> None:
    journal_sums = money.in_journal(journal(events()))
    true: Counter[tuple[Id, str]] = getattr(journal_sums, sums)
    off = true + Counter({(SHOP, "UAH"): 1})
    projected = money.Sums(
        **{"settled": journal_sums.settled, "deals": journal_sums.deals, "paid": journal_sums.paid} | {sums: off}
    )
    minor = true[SHOP, "UAH"]
    has, wrong = (f"{whole}.{rest:02d} UAH" for whole, rest in (divmod(minor, 100), divmod(minor + 1, 100)))
    assert money.broken(ledger(), journal_sums, projected) == [
        f"{what} in workspace {SHOP} differs: the {who} has {has}, the journal has {has}, the projection has {wrong}."
    ]


def test_a_kopeck_off_in_the_journal_is_caught() -> None:
    """The stack heard of a payment, and wrote down another sum than it acknowledged."""
    book = ledger()
    key = next(key for key, state in book.payments.items() if state.settled_minor)
    book.payments[key] = book.payments[key]._replace(amount_minor=book.payments[key].amount_minor + 1)
    journal_sums = money.in_journal(journal(events()))
    (said,) = money.broken(book, journal_sums, journal_sums)
    assert said.startswith(f"What payments brought in workspace {key[0]} differs: the ledger has ")
