"""What vendors send besides their samples: nothing where a list was, refunds with a minus, currencies as they like."""

from typing import Any

import pytest

from crm.envelope import Fact
from services.connectors.formats.exact_json import Tree, decode_object, encode
from tests.support.connector_samples import ConnectorSample, connector_samples

SAMPLES: dict[str, ConnectorSample] = {sample.id: sample for sample in connector_samples()}


def variant(id: str, **changes: Any) -> Fact:
    """Returns the fact of a sample with other values at these places, such as Attachments__0__Data, signed again."""
    sample = SAMPLES[id]
    body: Tree = decode_object(sample.sent().body)
    for place, value in changes.items():
        *path, name = place.split("__")
        inner: Any = body
        for step in path:
            inner = inner[int(step)] if isinstance(inner, list) else inner[step]
        inner[name] = value
    (fact,) = sample.received(sample.sent(body=encode(body).encode()))
    return fact


@pytest.mark.parametrize(
    ("id", "changes", "amount", "refunded"),
    [
        ("fondy/reversed_in_part.json", {"reversal_amount": "-4736"}, 154_736, 4_736),
        ("monobank/reversed_in_part.json", {"cancelList": [{"status": "success", "amount": -10_000}]}, 58_050, 10_000),
    ],
)
def test_what_a_gateway_gave_back_counts_with_or_without_its_minus(
    id: str, changes: dict[str, Any], amount: int, refunded: int
) -> None:
    """A refund of -47.36 was counted as money that came in on top."""
    fact: Any = variant(id, **changes)
    assert (fact.amount_minor, fact.refunded_minor) == (amount, refunded)


def test_a_refund_on_its_own_has_no_sign() -> None:
    fact: Any = variant("wayforpay/refunded_in_part.json", amount=-100)
    assert (fact.kind, fact.amount_minor) == ("refund", 10_000)


@pytest.mark.parametrize("total", ["10.00", "-10.00", -10, "-10,00"])
def test_what_a_shop_gave_back_counts_with_or_without_its_minus(total: Any) -> None:
    """WooCommerce documents a minus, plug-ins leave it out: the order then cost more than before the refund."""
    fact: Any = variant("woocommerce/order_refunded_in_part.json", refunds=[{"id": 1, "total": total}])
    assert (fact.total_minor, fact.paid_minor, fact.refunded_minor) == (102_050, 103_050, 1_000)


@pytest.mark.parametrize("id", ["woocommerce/order_refunded_in_part.json", "shopify/order_paid_and_sent.json"])
@pytest.mark.parametrize("lines", [None, {}, "", [None]])
def test_an_order_without_a_list_of_lines_leaves_those_of_the_deal(id: str, lines: Any) -> None:
    """`null` in place of the list emptied the deal of its lines."""
    fact: Any = variant(id, line_items=lines)
    assert fact.lines is None
    assert "line_items is no list of lines: those of the deal were left as they were." in fact.doubts


def test_a_line_without_an_id_has_its_place() -> None:
    """One such line put the whole order into quarantine."""
    fact: Any = variant("woocommerce/order_refunded_in_part.json", line_items__1__id=None)
    assert [line.key for line in fact.lines] == ["21", "2"]


@pytest.mark.parametrize(
    ("written", "currency", "total"), [("uah", "UAH", 55_550), ("грн", "UAH", 55_550), ("US", None, None)]
)
def test_an_order_says_its_currency_as_its_shop_writes_it(
    written: str, currency: str | None, total: int | None
) -> None:
    """`uah` made a deal in a currency of its own, next to those in UAH."""
    fact: Any = variant("woocommerce/order_refunded_in_part.json", currency=written)
    assert (fact.currency, fact.total_minor) == (currency, total)


@pytest.mark.parametrize(
    ("id", "place"),
    [("postmark/picture_in_the_text.json", "Attachments__0__Data"), ("mailjet/with_a_file.json", "Attachment1")],
)
def test_a_file_that_is_no_base64_is_listed_without_its_content(id: str, place: str) -> None:
    """Letters in place of base64 put the whole mail into quarantine."""
    fact: Any = variant(id, **{place: "Файл"})
    assert type(fact).__name__ == "MailReported"
    assert fact.attachments[0].ref == ""
