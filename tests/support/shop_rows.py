"""A small shop's read models, inserted directly into Postgres."""

from typing import Any

import psycopg

from crm.adapters.postgres import field_values, totals
from crm.adapters.postgres.read_models import packed, save
from crm.envelope import Row, named_id, now
from crm.scalars import Id, Micros
from crm.text.sort_keys import sort_key
from projections import PROJECTIONS
from projections.call import CallRow
from projections.contact import ContactRow
from projections.deal import DealRow
from projections.payment import PaymentRow
from projections.pipeline import PipelineRow
from projections.timeline import TimelineRow

SHOP, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
NOON = 1_767_268_800_000_000  # 2026-01-01T12:00:00Z
OLENA_PHONE = "+380671234567"


def id_of(name: str) -> Id:
    return named_id(Id(SHOP), name)


def contact(name: str, at: int = 0, **known: Any) -> ContactRow:
    values: dict[str, Any] = {"phones": (), "emails": (), "accounts": (), "merged_into": None} | known
    times = {"created_at": Micros(NOON), "touched_at": Micros(NOON + at)}
    return ContactRow(id_of(name), name, "form", **{"name_key": sort_key(name), **values, **times})


def deal(number: int, at: int = 0, **known: Any) -> DealRow:
    blank = dict.fromkeys(("owner_reason", "form", "page", "reference", "suspicious"), "")
    values: dict[str, Any] = {
        "contact_id": id_of("Olena"), "title": f"Order {number}", "amount_minor": 20200, "paid_minor": 0,
        "held_minor": 0, "currency": "UAH", "stage": "new", "owner": "taras@shop.ua", "source": "form", "fields": {},
        "utm": {}, "files": (),
    }  # fmt: skip
    times = {"opened_at": Micros(NOON), "touched_at": Micros(NOON + at)}
    return DealRow(deal_id=id_of(f"deal {number}"), number=number, **{**blank, **values, **known, **times})


def call(name: str, phase: str, at: Micros = Micros(NOON)) -> CallRow:  # noqa: B008  # it never changes
    times = Micros(NOON), at
    line = (OLENA_PHONE, "067 123 45 67", "", "", True, phase, "", None, None, "", "")
    return CallRow(id_of(name), id_of("Olena"), name, "in", *line, *times)


def entry(name: str, step: int, at: int = 0, **known: Any) -> TimelineRow:
    ids: dict[str, Any] = {"contact_id": id_of("Olena"), "deal_id": None} | known
    refs: dict[str, Any] = {"call_id": None, "conversation_id": None, "payment_id": None}
    said: dict[str, Any] = {"kind": "DealOpened", "title": name, "text": "", "amount_minor": None, "currency": ""}
    return TimelineRow(id_of(name), **{**refs, **said, **ids}, at=Micros(NOON + at), step=step, actor="")


def payment(name: str, parked: bool, deal_id: Id | None) -> PaymentRow:
    texts = ("monobank", name, "settled", 9_007_199_254_740_993, 0, "UAH", "For D-7", "", "Olena", "", "")
    contact_id = id_of("Olena") if deal_id else None
    return PaymentRow(id_of(name), deal_id, contact_id, *texts, parked, "", "no such deal", Micros(NOON), Micros(NOON))


SHOP_ROWS: list[Row] = [
    PipelineRow(id_of("pipeline"), "Shop", "UA", "UAH", "Europe/Kyiv", ("new", "talks"), "won", "talks"),
    contact("Olena", 3, phones=(OLENA_PHONE,), emails=("olena@example.com",)),
    contact("Olena's old card", 2, merged_into=id_of("Olena"), phones=("+380501112233",)),
    contact("Petro", 1),
    deal(7, 5, fields={"size": '"L"', "count": "7", "price": "1.10"}),
    deal(8, 4, contact_id=id_of("Olena's old card"), owner="", files=('{"kind":"document","name":"a.pdf"}',)),
    deal(9, 3, stage="won"),
    deal(10, 2, contact_id=id_of("Petro"), fields={"count": '"7"'}, stage="talks"),
    deal(11, 2, contact_id=id_of("Petro"), paid_minor=20200),
    call("ring", "ringing", Micros(now() + 86_400_000_000)),  # tomorrow: a whole run lasts longer than a ring
    call("unended", "ringing"),
    call("ended", "completed"),
    entry("opened", 10, deal_id=id_of("deal 7")),
    entry("assigned", 11, deal_id=id_of("deal 7")),
    entry("created", 0, contact_id=id_of("Olena's old card")),
    entry("said", 6, at=1),
    payment("lost", True, None),
    payment("found", False, id_of("deal 7")),
]


def insert(connection: psycopg.Connection[Any], workspace: str, *rows: Row) -> None:
    of_row = {projection.row: projection for projection in PROJECTIONS.values()}
    for row in rows:
        projection = of_row[type(row)]
        connection.execute(save(projection).encode(), packed(projection, [(Id(workspace), row)]))
    count_again(connection, workspace)


def count_again(connection: psycopg.Connection[Any], workspace: str) -> None:
    """Writes the totals and the values of custom fields of a workspace from its rows."""
    for projection in PROJECTIONS.values():
        if field_values.kept(projection):
            delete_of(connection, field_values.table(projection), workspace)
            rows = f"(SELECT * FROM {projection.qualified_name} WHERE workspace = %s) AS r"
            found = f"INSERT INTO {field_values.target(projection)} {field_values.values(projection, rows)}"
            connection.execute(found.encode(), [workspace])
        if projection.totals:
            delete_of(connection, totals.table(projection), workspace)
            rows = f"(SELECT * FROM {projection.qualified_name} WHERE workspace = %s) AS r"
            counted = totals.cells(projection, rows)
            connection.execute(f"INSERT INTO {totals.target(projection)} {counted}".encode(), [workspace])


def delete_rows(connection: psycopg.Connection[Any]) -> None:
    """Deletes all rows of the two workspaces."""
    for projection in PROJECTIONS.values():
        delete_of(connection, projection.qualified_name, SHOP, OTHER)
        if projection.totals:
            delete_of(connection, totals.table(projection), SHOP, OTHER)
        if field_values.kept(projection):
            delete_of(connection, field_values.table(projection), SHOP, OTHER)


def delete_of(connection: psycopg.Connection[Any], table: str, *workspaces: str) -> None:
    connection.execute(f"DELETE FROM {table} WHERE workspace = ANY (%s::uuid[])".encode(), [list(workspaces)])
