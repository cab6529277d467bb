"""The small shop plus edge cases: chains of merges, unusual currencies, extreme dates, texts that need escapes."""

from typing import Any

from msgspec.structs import replace

from crm.decisions.owners import owner_id
from crm.envelope import Row
from crm.scalars import Id, Micros
from projections.assignment_rules import AssignmentRulesRow
from projections.conversation import ConversationRow
from projections.message import MessageRow
from projections.owner import OwnerRow
from projections.pipeline import PipelineRow
from projections.quarantine import QuarantineRow
from projections.stage_rule import StageRuleRow
from tests.support.shop_rows import NOON, SHOP, SHOP_ROWS, call, contact, deal, entry, id_of, payment

ODD = 'Ганна "О\'К" \\ \b\f\n\r\t\x01\x7f\u2028🙂'
FILES = ('{"kind":"document","name":"a.pdf","size":5000000000,"ref":"x"}', '{"kind":"photo","media_type":"image/png"}')
SHARES = tuple(
    f'{{"deal_id":"{id_of(name)}","contact_id":"{id_of("Olena")}","share_minor":{minor}}}'
    for name, minor in (("deal 7", 9_007_199_254_740_993), ("deal 8", 1), ("no deal", 0))
)
YEAR = 366 * 86_400_000_000


def message(name: str, at: int) -> MessageRow:
    ids = (id_of(name), id_of("chat"), id_of("Olena"))
    return MessageRow(
        *ids,
        name,
        ODD,
        name * 2,
        FILES,
        "",
        sent_at=Micros(NOON + at),
        edited_at=Micros(NOON + 500_000) if at else None,
    )


def refused(name: str, at: int, tried: bool) -> QuarantineRow:
    texts = ("binotel", "binotel", ODD, "application/json", 7, "00", "{", "crm.intake.calls", 3, 2**40)
    times = (Micros(NOON + at), Micros(NOON + at + 120))
    return QuarantineRow(id_of(name), *texts, *times, touched_at=Micros(NOON) if tried else None)


def rule(name: str, least: int | None, text: str, values: dict[str, str]) -> StageRuleRow:
    texts: Any = dict.fromkeys(
        ("source", "owner", "task_title", "message_text", "template_name", "template_text"), text
    )
    texts |= {"task_owner": "", "template_language": "", "currency": "UAH", "template_values": values}
    webhook = id_of("hook") if least else None
    return StageRuleRow(
        stage_rule_id=id_of(name),
        name=name,
        stage=text or "new",
        enabled=not text,
        amount_at_least_minor=least,
        task_due_hours=0,
        task_due_days=7,
        webhook_id=webhook,
        version=1,
        touched_at=Micros(NOON),
        **texts,
    )


EDGE_CASE_ROWS: list[Row] = [
    *SHOP_ROWS,
    contact("Olena's oldest card", 0, merged_into=id_of("Olena's old card")),
    contact("Merged into nobody", 0, merged_into=id_of("nobody")),
    contact("Ring", 0, merged_into=id_of("Rong")),
    contact("Rong", 0, merged_into=id_of("Ring")),
    contact(ODD, 123_400, accounts=("telegram:1", ODD)),
    contact("Before the calendar", -2500 * YEAR),
    contact("Behind the calendar", 9000 * YEAR),
    deal(20, 500_000, contact_id=id_of("Olena's oldest card"), currency="JPY", amount_minor=-5, files=FILES),
    deal(21, 100, contact_id=id_of("Merged into nobody"), currency="KWD", amount_minor=-1234, paid_minor=7),
    deal(22, 10, contact_id=id_of("Ring"), currency="", amount_minor=0, title=ODD, owner=""),
    deal(23, 10, contact_id=id_of("Ring"), currency="XYZ", fields={"n": "1e400", "deep": '{"a":[1.0,null]}'}),
    deal(24, 9000 * YEAR, contact_id=id_of("nobody"), currency="CLF", amount_minor=2**63 - 1),
    entry("paid", 12, at=7, deal_id=id_of("deal 7"), amount_minor=1, currency="UAH"),
    entry("oldest", 1, contact_id=id_of("Olena's oldest card")),
    payment("astray", False, id_of("no deal")),
    replace(payment("doubtful", True, None), candidates=(id_of("deal 8"), id_of("no deal"), id_of("deal 7"))),
    replace(payment("split", False, id_of("deal 7")), shares=SHARES),
    call("rang", "ringing", Micros(NOON + 250_000)),
    ConversationRow(
        id_of("chat"), id_of("Olena"), "telegram", "1", ODD, 2, id_of("m2"), "m2", Micros(NOON), Micros(NOON + 1)
    ),
    PipelineRow(
        id_of("pipeline"), ODD, "UA", "UAH", "Europe/Kyiv", ("new", ODD, "won"), "won", "new", {"new": '"Нові"'}
    ),
    OwnerRow(
        owner_id(Id(SHOP), "taras@shop.ua"), "taras@shop.ua", ODD, "", "", "101", False, 2, Micros(NOON), Micros(NOON)
    ),
    AssignmentRulesRow(
        id_of("rules"),
        2,
        (
            '{"name":"a","owners":["x","y"],"source":"","field":"","value":"","from_hour":0,"to_hour":24,"pick":"first"}',
            '{"name":"b","owners":[]}',
        ),
        ODD,
        Micros(NOON),
    ),
    rule("rule 1", None, "", {}),
    rule("rule 2", 2**62, ODD, {"1": '"Олена"'}),
    message("m1", 0),
    message("m2", 1),
    refused("bad 1", 0, tried=False),
    refused("bad 2", 100, tried=True),
]
