"""Lists have the orders and filters that indexes serve, and no combination that would scan a table."""

import re

import pytest

from api.errors import BadInput
from api.schema.field_ranges import COLUMNS
from api.schema.lists import LISTS, page_size
from api.schema.names import list_name
from crm.indexes import Index, indexes, served
from projections import PROJECTIONS

DEAL = PROJECTIONS["deal"]


def test_an_index_is_read_as_filters_and_an_order() -> None:
    assert indexes(DEAL) == (
        Index((), ("touched_at",)),
        Index((), ("number",)),
        Index((), ("opened_at",)),
        Index((), ("currency", "amount_minor")),
        Index(("stage",), ("touched_at",)),
        Index(("stage",), ("opened_at",)),
        Index((), ("closed_at",)),
        Index(("stage",), ("closed_at",)),
        Index(("stage",), ("currency", "amount_minor")),
        Index(("owner",), ("touched_at",)),
        Index(("stage", "owner"), ("touched_at",)),
        Index(("source",), ("touched_at",)),
        Index(("contact_id",), ("touched_at",)),
        Index(("reference",), ()),
        Index(("fields",), (), contains=True),
        Index(("external_ids",), (), contains=True),
    )


@pytest.mark.parametrize(
    ("order", "equal", "ranges", "answer"),
    [
        (("touched_at",), (), (), True),
        (("touched_at",), (), ("touched_at",), True),
        (("touched_at",), (), ("opened_at",), False),
        (("touched_at",), ("stage", "owner"), (), True),
        (("touched_at",), ("stage", "source"), (), False),  # no index has both: a rare pair would be looked for in all
        (("touched_at",), ("stage", "contact_id", "source"), ("opened_at",), True),  # a contact has few deals
        (("number",), (), (), True),
        (("number",), ("number",), (), True),
        (("number",), ("stage",), (), False),
        (("number",), ("fields",), (), True),  # what it finds is few, and sorted
        (("number",), ("reference",), (), True),
        (("opened_at",), ("stage",), ("opened_at",), True),
        (("opened_at",), ("owner",), (), False),
        (("currency", "amount_minor"), ("stage",), (), True),
        (("currency", "amount_minor"), ("stage", "currency"), ("amount_minor",), True),
        (("currency", "amount_minor"), (), ("amount_minor",), False),  # amounts are compared within a currency
        (("title",), (), (), False),
    ],
)
def test_an_order_and_filters_go_together_when_an_index_has_both(
    order: tuple[str, ...], equal: tuple[str, ...], ranges: tuple[str, ...], answer: bool
) -> None:
    assert served(DEAL, order, equal, ranges) is answer


@pytest.mark.parametrize("name", LISTS)
def test_every_filter_and_order_names_columns_of_an_index(name: str) -> None:
    listed = LISTS[name]
    columns = {column.name for column in listed.projection.columns}
    declared = {part.strip() for index in listed.projection.indexes for part in index.split(",")}
    compared = [condition for field in listed.where.values() for condition in field.conditions.values()]
    for filter in [*listed.filters.values(), *compared]:
        assert filter.column in declared
        assert set(re.findall(r"{t}\.(\w+)", filter.condition + filter.condition_if_false)) <= columns
    for order in listed.orders.values():
        if order.columns == COLUMNS:  # of the values of custom fields
            continue
        assert order.columns[-1] == listed.projection.key
        assert set(order.columns[:-1]) <= declared


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_a_default_order_and_needs_no_filter_unless_it_belongs_to_a_parent(name: str) -> None:
    listed = LISTS[name]
    if listed.needs_filter:
        assert name in ("timeline", "messages", "objects", "deal_lines")
        with pytest.raises(BadInput, match="needs a filter"):
            listed.order(listed.default_order, ())
    else:
        assert listed.order(listed.default_order, ()).newest


def test_a_filter_without_an_index_is_refused_with_an_alternative() -> None:
    with pytest.raises(BadInput) as refused:
        LISTS["deals"].order("NUMBER_ASC", ["stage"])
    assert refused.value.message == (
        "No index serves NUMBER_ASC together with `stage`. Nothing was read. Leave one of them out. `deals` serves "
        "TOUCHED_AT with `stage` or `owner` or `stage` and `owner` or `source`, and a range of `touchedAt`; NUMBER "
        "with a range of `number`; CREATED_AT with `stage`, and a range of `openedAt`; AMOUNT with `stage`, and a "
        "range of `amount`; CLOSED_AT with `stage`, and a range of `closedAt`; FIELD with a range of `fields`; every "
        "order and condition together with `contactId`, `reference`, `fields`, `externalIds`."
    )


def test_every_projection_with_an_order_has_a_list() -> None:
    assert {list_name(name) for name in PROJECTIONS} - LISTS.keys() == {"pipelines", "assignment_rules"}


@pytest.mark.parametrize(("first", "last", "size"), [(None, None, 20), (1, None, 1), (None, 100, 100)])
def test_a_page_has_a_size(first: int | None, last: int | None, size: int) -> None:
    assert page_size(first, last) == size


@pytest.mark.parametrize(("first", "last"), [(0, None), (101, None), (None, 0), (None, -1), (1, 1)])
def test_a_page_of_another_size_is_refused(first: int | None, last: int | None) -> None:
    with pytest.raises(BadInput, match=r"1 to 100|Give one of them"):
        page_size(first, last)
