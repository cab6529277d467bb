"""A path finds a value in whatever a vendor sends, and keeps its digits."""

from base64 import b64encode

import pytest

from crm.shared import Raw
from services.operations.reparse.paths import value_at

ORDER = b'{"order_id": "D-7", "items": [{"sku": "a", "price": 54.10}], "note": ""}'


@pytest.mark.parametrize(
    ("kind", "body", "path", "value"),
    [
        ("application/json", ORDER, "order_id", '"D-7"'),
        ("application/json", ORDER, "items.0.price", "54.10"),
        ("application/json", ORDER, "items.0", '{"sku":"a","price":54.10}'),
        ("application/json", ORDER, "items.1.price", None),
        ("application/json", ORDER, "items.sku", None),
        ("application/json", ORDER, "note", None),
        ("application/json", ORDER, "nothing", None),
        ("application/json", b'{"inner": "{\\"a\\": 1}"}', "inner.a", "1"),
        ("application/json", b"[", "a", None),
        ("application/x-www-form-urlencoded", b"name=Olena&size=42", "size", '"42"'),
        ("application/x-www-form-urlencoded", b"data=" + b64encode(ORDER), "data.order_id", '"D-7"'),
        ("application/json", b"{}", "?campaign", '"spring"'),
        ("application/json", b"{}", "?other", None),
    ],
)
def test_a_value_by_its_path(kind: str, body: bytes, path: str, value: str | None) -> None:
    assert value_at(Raw(kind, {}, "campaign=spring", body), path) == value
