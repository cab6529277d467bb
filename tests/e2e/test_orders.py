"""A shop's order through the whole stack: paid, edited, refunded, late and twice, and what GraphQL shows of it."""

from crm.connector import Delivery
from crm.scalars import Micros
from services.connectors.rehearsal import rehearsals
from tests.support.running_stack import RunningStack
from tests.support.terminal import ROOT

ORDER = """query { deals(externalId: "shopify:6012345678901234567") { nodes {
  title stage reference amount { text } paid { text } fields
  contact { name phones accounts }
  payments { nodes { provider payment status amount { text } refunded { text } } }
  lines { nodes { sku quantity price { text } discount { text } total { text } } } } } }"""


def send(stack: RunningStack, *names: str) -> None:
    assert stack.demo
    for name in names:
        body = (ROOT / "services/connectors/shopify/samples" / f"{name}.json").read_bytes()
        delivery = Delivery({"content-type": "application/json"}, body, Micros(0))
        signed = rehearsals()["shopify"].sign(delivery, stack.demo.seed)
        stack.accepts("shopify", (dict(signed.headers), signed.body))
    stack.settle()


def test_an_order_is_a_deal_with_lines_and_its_payment(stack: RunningStack) -> None:
    send(stack, "order_paid_and_sent", "order_created", "order_paid_and_sent")
    (deal,) = stack.ask(ORDER)["deals"]["nodes"]
    assert {name: deal[name] for name in ("title", "stage", "reference", "amount", "paid")} == {
        "title": "Order 1042",
        "stage": "paid",
        "reference": "1042",
        "amount": {"text": "1450.50 UAH"},
        "paid": {"text": "1450.50 UAH"},
    }
    assert deal["fields"]["parcel_numbers"] == ["20450000000011", "20450000000012"]
    assert deal["contact"]["accounts"] == ["shopify:7301234567890123456"]
    assert [line["sku"] for line in deal["lines"]["nodes"]] == ["TEA-1", "CUP-3"]
    send(stack, "order_edited_and_refunded_in_part", "order_created")
    (deal,) = stack.ask(ORDER)["deals"]["nodes"]
    (line,), (payment,) = deal["lines"]["nodes"], deal["payments"]["nodes"]
    assert line == {
        "sku": "TEA-1",
        "quantity": "2",
        "price": {"text": "500.25 UAH"},
        "discount": {"text": "50.00 UAH"},
        "total": {"text": "950.50 UAH"},
    }
    assert (deal["stage"], deal["amount"], deal["paid"]) == ("paid", {"text": "1050.50 UAH"}, {"text": "1050.50 UAH"})
    assert (payment["provider"], payment["status"], payment["refunded"]) == (
        "shopify",
        "settled",
        {"text": "400.00 UAH"},
    )
    send(stack, "order_cancelled_and_refunded", "order_edited_and_refunded_in_part")
    (deal,) = stack.ask(ORDER)["deals"]["nodes"]
    assert (deal["stage"], deal["paid"]) == ("lost", {"text": "0.00 UAH"})
    assert len(deal["lines"]["nodes"]) == 2
