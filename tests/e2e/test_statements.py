"""A bank's statement through the whole stack by `crm statement`: a deal is paid, once, in every format and again."""

from pathlib import Path
from uuid import uuid4

from tests.support.running_stack import RunningStack
from tests.support.statement_files import OURS, THEIRS, camt, document, entry, exchange, mt940

DEAL = "query($reference: String!) { deals(reference: $reference) { nodes { stage paid { text } } } }"
PAYMENTS = "{ payments(first: 100) { nodes { provider status amount { text } payerIban why } } }"


def test_a_statement_pays_a_deal_once(stack: RunningStack, tmp_path: Path) -> None:
    order = f"ST-{uuid4().int % 10**7:07}"
    form = f'{{"type": "FormSubmitted", "name": "Олена", "reference": "{order}", "amount": "4500.50"}}'
    assert stack.facts(form.encode()).status_code == 200
    stack.settle()
    purpose, bank = f"Оплата замовлення {order}", f"B{order}"
    swift = tmp_path / "a.sta"
    swift.write_bytes(mt940(f":61:2610051005C4500,50NTRFNONREF//{bank}", f":86:{purpose}", closing="C261005UAH4500,50"))
    sent = stack.terminal.run_json(f"statement {swift}")
    assert [(one["payments"], one["accepted"], one["accounts"][0]["difference"]) for one in sent] == [(1, 1, 0)]
    stack.wait_for_answer(
        DEAL, {"deals": {"nodes": [{"stage": "paid", "paid": {"text": "4500.50 UAH"}}]}}, reference=order
    )
    again = stack.terminal.run_json(f"statement {swift}")
    assert [one["repeated"] for one in again] == [1]
    xml, exported = tmp_path / "a.xml", tmp_path / "a.txt"
    xml.write_bytes(
        camt(
            entry(
                "4500.50",
                more=f"<AcctSvcrRef>{bank}</AcctSvcrRef><AddtlNtryInf>{purpose}</AddtlNtryInf>",
                day="2026-10-05",
            )
        )
    )
    exported.write_text(exchange(document("41", "4500.50", THEIRS, OURS, purpose)), "cp1251")
    stack.terminal.run(f"statement {xml} {exported} --currency UAH --kafka")
    stack.settle()
    assert stack.ask(DEAL, reference=order) == {
        "deals": {"nodes": [{"stage": "paid", "paid": {"text": "4500.50 UAH"}}]}
    }
    (double,) = [
        one
        for one in stack.ask(PAYMENTS)["payments"]["nodes"]
        if one["provider"] == "statement-document" and one["payerIban"] == THEIRS
    ]
    assert double["why"].startswith("It may be the payment that statement reported as ")
