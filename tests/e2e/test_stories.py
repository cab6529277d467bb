"""The demo's stories on the running stack, checked to the kopeck."""

import itertools
import json
import time
from datetime import UTC, datetime
from typing import Any

from tests.support import rehearse
from tests.support.rehearse import Post
from tests.support.running_stack import RunningStack

LATER = int(time.time()) + 3_600  # in seconds: behind whatever the clock of this test says of its form

CALLER = """query($phone: String!) { caller(phone: $phone) { contact { id name }
  openDeals { id number owner } } }"""


def test_the_demo_plays_all(stack: RunningStack) -> None:
    report = stack.terminal.run_json("demo")
    assert [(story["name"], story["ok"]) for story in report["stories"]] == [
        ("a form becomes a contact and a deal", True),
        ("a caller is known before the answer", True),
        ("payments find their deal", True),
        ("a doubtful payment waits for a person", True),
        ("a chat joins the card", True),
        ("a reply arrives in the chat", True),
        ("a webhook is received and misses nothing", True),
        ("custom fields are kept and found", True),
    ]
    assert report["ok"] is True
    assert all(0 < story["accepted_ms"] <= story["visible_ms"] for story in report["stories"])


def order(stack: RunningStack, name: str, phone: str, **said: str) -> Any:
    """Sends a form for 1250.00 UAH and returns its deal."""
    cart = {"orderid": f"order of {phone}", "amount": "1250.00"} | said
    stack.accepts("form", rehearse.form({"name": name, "phone": phone, "payment": json.dumps(cart)}))
    (deal,) = stack.ask_when_settled(CALLER, phone=phone)["caller"]["openDeals"]
    return deal


def invoice(stack: RunningStack, id: str, kopecks: int, **said: Any) -> Post:
    key, _ = rehearse.keys(stack.demo.seed if stack.demo else "")
    return rehearse.monobank_invoice(key, id, kopecks, **said)


def stands(stack: RunningStack, deal: Any, stage: str, paid: str, held: str = "0.00 UAH") -> None:
    """Waits until the deal has this stage and these amounts."""
    query = "query($id: ID!) { deal(id: $id) { stage paid { text } held { text } } }"
    stack.wait_for_answer(
        query, {"deal": {"stage": stage, "paid": {"text": paid}, "held": {"text": held}}}, id=deal["id"]
    )


def test_the_same_deliveries_again_give_the_very_same_cards(stack: RunningStack) -> None:
    deal = order(stack, "Ганна", "+380967330001")
    purpose = f"Оплата за угоду D-{deal['number']}"
    secret = stack.secret("telegram")
    deliveries = {
        "form": [rehearse.form({"name": "Гнат", "phone": "067 000 00 02"}), rehearse.json_form({"email": "g@g.ua"})],
        "monobank-personal": [rehearse.monobank_statement("again-1", 50_000, comment=purpose)],
        "monobank": [invoice(stack, "again-2", 75_000, reference=f"D-{deal['number']}")],
        "liqpay": [rehearse.liqpay_callback(stack.secret("liqpay"), 9001, "77.77", order_id="nobody's")],
        "binotel": [
            rehearse.binotel_call("receivedTheCall", 9001, "0670000001"),
            rehearse.binotel_call("apiCallCompleted", 9001, "0670000001", billsec=5, disposition="ANSWER"),
        ],
        "telegram": [
            rehearse.telegram_message(secret, 9001, 9001, "Добрий день"),
            rehearse.telegram_message(secret, 9002, 9001, contact={"phone_number": "380967330001", "user_id": 9001}),
        ],
    }
    for connector, posts in deliveries.items():
        stack.accepts(connector, *posts)
    stands(stack, deal, "paid", "1250.00 UAH")
    stack.settle()
    before = stack.all_rows()
    for connector, posts in reversed(deliveries.items()):
        stack.accepts(connector, *reversed(posts), *posts)
    stack.settle()
    assert stack.all_rows() == before


def at(minute: int) -> str:
    """So many minutes later, as monobank writes it."""
    return f"{datetime.fromtimestamp(LATER + 60 * minute, UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_partial_and_excess_payments(stack: RunningStack) -> None:
    deal = order(stack, "Іван", "+380967330010")
    purpose = f"угода №{deal['number']}"
    stack.accepts("monobank-personal", rehearse.monobank_statement("part-1", 1, comment=purpose, time=LATER + 1))
    stands(stack, deal, "part_paid", "0.01 UAH")
    stack.accepts("monobank-personal", rehearse.monobank_statement("part-2", 124_999, comment=purpose, time=LATER + 2))
    stands(stack, deal, "paid", "1250.00 UAH")
    stack.accepts("monobank-personal", rehearse.monobank_statement("part-3", 3, comment=purpose, time=LATER + 3))
    stands(stack, deal, "paid", "1250.03 UAH")
    query = "query($id: ID!) { deal(id: $id) { timeline(first: 1) { nodes { title text } } } }"
    too_much = {"title": "Payment", "text": "0.03 UAH came: paid in full, 0.03 UAH too much"}
    stack.wait_for_answer(query, {"deal": {"timeline": {"nodes": [too_much]}}}, id=deal["id"])


def test_a_payment_in_another_currency_is_parked_and_moves_nothing(stack: RunningStack) -> None:
    deal = order(stack, "Юрій", "+380967330011")
    dollars = rehearse.monobank_statement("usd-1", 125_000, comment=f"D-{deal['number']}", currencyCode=840)
    stack.accepts("monobank-personal", dollars)
    number = f"D-{deal['number']}"
    why = (
        f"It could be for {number} (it names {number}, but it is in UAH, and the money is in USD). Say which with "
        "paymentMatch: it names no payer that can be recognised"
    )
    stack.wait_for_match(
        "{ payments(parked: true, first: 50) { nodes { why amount { text } } } }",
        lambda data: {"why": why, "amount": {"text": "1250.00 USD"}} in data["payments"]["nodes"],
    )
    stands(stack, deal, "new", "0.00 UAH")


def test_held_then_settled_then_refunded_in_part_then_wholly(stack: RunningStack) -> None:
    deal = order(stack, "Марко", "+380967330012")
    reference = {"reference": f"D-{deal['number']}"}
    stack.accepts("monobank", invoice(stack, "hold-1", 125_000, status="hold", modifiedDate=at(1), **reference))
    stands(stack, deal, "new", "0.00 UAH", held="1250.00 UAH")
    stack.accepts("monobank", invoice(stack, "hold-1", 125_000, modifiedDate=at(2), **reference))
    stands(stack, deal, "paid", "1250.00 UAH")
    part = [{"status": "success", "amount": 25_001}]
    refund = invoice(stack, "hold-1", 125_000, finalAmount=99_999, cancelList=part, modifiedDate=at(3), **reference)
    stack.accepts("monobank", refund)
    stands(stack, deal, "part_paid", "999.99 UAH")
    wholly = [*part, {"status": "success", "amount": 99_999}]
    gone = {"status": "reversed", "finalAmount": 0, "cancelList": wholly, "modifiedDate": at(4)}
    stack.accepts("monobank", invoice(stack, "hold-1", 125_000, **gone, **reference))
    stands(stack, deal, "new", "0.00 UAH")


def test_a_reversed_liqpay_payment_takes_its_stage_back(stack: RunningStack) -> None:
    deal = order(stack, "Ніна", "+380967330013")
    key, id = stack.secret("liqpay"), {"order_id": "order of +380967330013"}
    stack.accepts("liqpay", rehearse.liqpay_callback(key, 7001, "1250.00", **id))
    stands(stack, deal, "paid", "1250.00 UAH")
    back = rehearse.liqpay_callback(key, 7001, "1250.00", "sha3_256", status="reversed", end_date=1791190960000, **id)
    stack.accepts("liqpay", back)
    stands(stack, deal, "new", "0.00 UAH")


def test_reports_of_a_payment_in_any_order_end_the_same(stack: RunningStack) -> None:
    deals = []
    for n, turn in enumerate(itertools.permutations(("hold", "success", "refund"))):
        deal = order(stack, "Оля", f"+38096733002{n}")
        reports: dict[str, dict[str, Any]] = {
            "hold": {"status": "hold", "modifiedDate": at(1)},
            "success": {"modifiedDate": at(2), "reference": f"D-{deal['number']}"},
            "refund": {"modifiedDate": at(3), "finalAmount": 124_900,
                       "cancelList": [{"status": "success", "amount": 100}]},
        }  # fmt: skip
        stack.accepts("monobank", *(invoice(stack, f"any-{n}", 125_000, **reports[report]) for report in turn))
        deals.append(deal)
    for deal in deals:
        stands(stack, deal, "part_paid", "1249.00 UAH")


def test_a_parked_payment_matches_itself_when_its_form_comes(stack: RunningStack) -> None:
    order_id = "order of +380967330030"
    stack.accepts("liqpay", rehearse.liqpay_callback(stack.secret("liqpay"), 7100, "1250.00", order_id=order_id))
    query = "{ payments(first: 100) { nodes { reference parked deal { stage } } } }"
    parked = {"reference": order_id, "parked": True, "deal": None}
    stack.wait_for_match(query, lambda data: parked in data["payments"]["nodes"])
    cart = {"orderid": order_id, "amount": "1250.00"}
    stack.accepts("form", rehearse.form({"name": "Петро", "phone": "+380967330030", "payment": json.dumps(cart)}))
    matched = {"reference": order_id, "parked": False, "deal": {"stage": "paid"}}
    stack.wait_for_match(query, lambda data: matched in data["payments"]["nodes"])
