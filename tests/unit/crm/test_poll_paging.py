"""The ways in which vendors page."""

from typing import Any

import msgspec
import pytest

from crm.connector_poll import Ask, Page, PollFailed, items_of
from crm.poll_paging import last_item, next_link, next_number, next_offset, next_value
from crm.scalars import Micros

FIRST = Ask("/orders", {"limit": "2"})
TWO = {
    "orders": [{"id": 7}, {"id": 9}],
    "next": "n1",
    "more": True,
    "paging": {"next": "https://a.example/o?page=3&q=a%20b"},
}


def page(body: Any, **headers: str) -> Page:
    return Page(FIRST, body if isinstance(body, bytes) else msgspec.json.encode(body), Micros(0), headers)


def parameters(ask: Ask | None) -> dict[str, str] | None:
    return dict(ask.parameters) if ask else None


def test_by_number() -> None:
    paging = next_number("page", ("orders",), 2)
    second = paging(FIRST, page(TWO))
    assert parameters(second) == {"limit": "2", "page": "2"}
    assert second and parameters(paging(second, page(TWO))) == {"limit": "2", "page": "3"}
    assert paging(FIRST, page({"orders": [{"id": 7}]})) is None and paging(FIRST, page({})) is None
    assert parameters(next_number("page", ("orders",), 2, first=0)(FIRST, page(TWO))) == {"limit": "2", "page": "1"}


def test_by_offset() -> None:
    paging = next_offset("offset", ("orders",), 2)
    second = paging(FIRST, page(TWO))
    assert parameters(second) == {"limit": "2", "offset": "2"}
    assert second and parameters(paging(second, page(TWO))) == {"limit": "2", "offset": "4"}
    assert paging(FIRST, page({"orders": [1]})) is None


def test_by_a_value_of_the_page() -> None:
    assert parameters(next_value("after", "next")(FIRST, page(TWO))) == {"limit": "2", "after": "n1"}
    assert next_value("after", "next")(FIRST, page({"next": None})) is None
    assert next_value("after", "next", more=("more",))(FIRST, page({"next": "n1", "more": False})) is None


def test_by_the_last_item() -> None:
    assert parameters(last_item("after", ("orders",), "id", size=2)(FIRST, page(TWO))) == {"limit": "2", "after": "9"}
    assert last_item("after", ("orders",), "id", size=3)(FIRST, page(TWO)) is None
    with pytest.raises(PollFailed, match="has no id"):
        last_item("after", ("orders",), "id", size=1)(FIRST, page({"orders": [{}]}))


def test_by_link() -> None:
    linked = next_link("paging", "next")(FIRST, page(TWO))
    assert linked and (linked.path, dict(linked.parameters)) == ("https://a.example/o", {"page": "3", "q": "a b"})
    assert next_link("paging", "next")(FIRST, page({})) is None
    header = '<https://a.example/o?page=1>; rel="prev", <https://a.example/o?page=3>; rel="next"'
    linked = next_link()(FIRST, page({}, link=header))
    assert linked and dict(linked.parameters) == {"page": "3"}
    assert next_link()(FIRST, page({}, link='<https://a.example/o>; rel="prev"')) is None


def test_items_are_the_vendors_own_bytes() -> None:
    body = b'{"a": {"orders": [ {"id" : 1.50, "s":"\\u0456"} ,{"id":2}]}}'
    assert items_of(page(body), ("a", "orders")) == [b'{"id" : 1.50, "s":"\\u0456"}', b'{"id":2}']
    assert items_of(page(b"[1, 2]"), ()) == [b"1", b"2"]
    assert items_of(page(b'{"orders": null}'), ("orders",)) == []
    for bad in (b"", b"{}", b'{"orders": {}}', b'{"orders": [1'):
        with pytest.raises(PollFailed):
            items_of(page(bad), ("orders",))
