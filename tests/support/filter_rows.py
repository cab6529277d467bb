"""Rows of every list with numbers, of which rare values stand only at the ends of each order."""

from typing import Any

import msgspec

from crm.envelope import Row
from crm.scalars import Id, Micros
from crm.text.sort_keys import sort_key
from projections.connection import ConnectionRow
from projections.conversation import ConversationRow
from projections.deal_line import DealLineRow
from projections.field import FieldRow
from projections.message import MessageRow
from projections.note import NoteRow
from projections.object import ObjectRow
from projections.object_type import ObjectTypeRow
from projections.owner import OwnerRow
from projections.parcel import ParcelRow
from projections.quarantine import QuarantineRow
from projections.stage_rule import StageRuleRow
from projections.task import TaskRow
from projections.timeline import TimelineRow
from projections.token import TokenRow
from projections.webhook import WebhookRow
from tests.support.shop_rows import NOON, OTHER, call, contact, deal, id_of, payment

ROWS = 20_000
EDGE = ROWS // 50  # rows of each end that have rare values
SECOND = 1_000_000
RULE_TEXTS = ("name", "source", "owner", "currency", "task_title", "task_owner", "message_text")
TEMPLATE_TEXTS = ("template_name", "template_language", "template_text")
STATES = ('"open"', '"done"')


def edge(n: int, first: str, most: str, last: str) -> str:
    return first if n < EDGE else last if n >= ROWS - EDGE else most


def rows_of(name: str, n: int) -> Row:
    """Returns the row with this number; all times rise with it, and so do amounts."""
    at, id, referred = Micros(NOON + n * SECOND), id_of(f"{name} {n}"), id_of(f"referred {n // 4}")
    currency = "JPY" if n % 7 == 0 else "UAH"
    times: dict[str, Any] = {"touched_at": at, "created_at": at}
    match name:
        case "deals":
            fields = {"size": f'"{n % 5000}"', "count": str(n // 10), "state": STATES[n * 37 % 100 >= 40]}
            fields |= {"half": '"old"' if n < ROWS // 4 else '"new"', "tags": f'["{edge(n, "first", "most", "last")}"]'}
            fields["mixed"] = str(n) if n % 2 else f'"{n:05}"'
            owner = edge(n + n % 2, "first", "most", "last")
            text: dict[str, Any] = {"stage": edge(n, "lost", "new", "won"), "owner": owner, "currency": currency}
            row: Row = deal(n, contact_id=referred, amount_minor=n * 10, fields=fields, **text)
            more: dict[str, Any] = {
                "source": edge(n, "chat", "form", "api"),
                "reference": f"R-{n // 2}" if n % 2 else "",
            }
            more |= {"external_ids": (f"shop:{n}",) if n % 2 else (), "closed_at": Micros(at + 5) if n % 3 else None}
            return msgspec.structs.replace(row, opened_at=at, touched_at=at, **more)
        case "contacts":
            phones = (f"+38067{n // 2:07}",) if n % 3 == 0 else ()
            merged = id_of(f"contacts {n - 1}") if n % 10 == 5 else None
            identifiers: dict[str, Any] = {"phones": phones, "emails": (f"{n}@shop.ua",), "accounts": (f"shop:{n}",)}
            row = contact(f"{name} {n}", merged_into=merged, fields={"n": str(n)}, **identifiers)
            called = f"{'АБВГҐДЕ'[n % 7]}ванна {n:05}"
            return msgspec.structs.replace(row, name=called, name_key=sort_key(called), **times)
        case "payments":
            row = payment(f"{name} {n}", edge(n, "yes", "", "") == "yes", referred if n % 2 else None)
            row = msgspec.structs.replace(row, candidates=(referred,) if n % 6 == 0 else ())
            values = {"status": edge(n, "failed", "settled", "held"), "amount_minor": n * 10, "currency": currency}
            return msgspec.structs.replace(row, contact_id=id_of(f"referred {n // 5}"), **values, **times)
        case "calls":
            row = call(f"{name} {n}", edge(n, "ringing", "completed", "answered"))
            how = {"disposition": edge(n, "busy", "answered", "failed"), "direction": edge(n + n % 2, "out", "in", "")}
            return msgspec.structs.replace(row, contact_id=referred, **how, **times)
        case "conversations":
            asks = edge(n, "yes", "", "") == "yes"
            return ConversationRow(id, referred, "telegram", "1", "", 0, None, "", at, at, unanswered=asks)
        case "tasks":
            due, owner = Micros(at + 5) if n % 2 else None, edge(n, "first", "most", "last")
            return TaskRow(
                id,
                referred,
                referred if n % 2 else None,
                "",
                due,
                owner,
                edge(n + n % 2, "yes", "", "") == "yes",
                None,
                1,
                **times,
            )
        case "notes":
            return NoteRow(id, referred, referred if n % 2 else None, "", "", 1, written_at=at, touched_at=at)
        case "objects":
            kind, status = edge(n, "courier", "seller", "brand"), edge(n + n % 2, "new", "active", "gone")
            related, gone = (f"seller:{n // 4}",) if n % 2 else (), (f"seller:old {n}",) if n % 3 else ()
            return ObjectRow(id, kind, str(n), status, "", {}, related, gone, (), 1, **times)
        case "parcels":
            status, service = edge(n, "lost", "in_transit", "returned"), edge(n + n % 2, "meest", "post", "ukrposhta")
            known: dict[str, Any] = {"parked": edge(n, "yes", "", "") == "yes", "tracked": n % 3 > 0, "status": status}
            known["candidates"] = (referred,) if n % 6 == 0 else ()
            return ParcelRow(
                id, referred if n % 2 else None, id_of(f"referred {n // 5}"), service, f"N{n}", **known, **times
            )
        case _:
            return others(name, n, id, referred, at)


def others(name: str, n: int, id: Id, referred: Id, at: Micros) -> Row:
    """Returns a row of a list with fewer filters."""
    match name:
        case "deal_lines":
            sku = edge(n, "first", "most", "last")
            return DealLineRow(
                id, referred, referred, n, sku, "", "1", None, 0, None, "JPY" if n % 7 == 0 else "UAH", 1, at
            )
        case "messages":
            return MessageRow(id, referred, referred, str(n), "", "", (), "", at, None)
        case "timeline":
            refs = dict.fromkeys(("call_id", "conversation_id", "payment_id", "amount_minor"))
            said: dict[str, Any] = {"kind": "DealOpened", "title": "", "text": "", "currency": "", "actor": "", **refs}
            return TimelineRow(id, referred, referred if n % 2 else None, at=at, step=n % 3, **said)
        case "owners":
            return OwnerRow(id, f"owner {n}", "", "", "", "", edge(n, "no", "", "") != "no", 1, at, at)
        case "custom_fields":
            return FieldRow(id, edge(n, "object", "deal", "contact"), str(n), "", "text", (), False, False, 1, at)
        case "object_types":
            return ObjectTypeRow(id, f"type {n}", "", "", (), {}, False, 1, at)
        case "quarantine":
            return QuarantineRow(id, id, "form", "", "", 0, "", "", "", 0, n, at, at)
        case "access_tokens":
            return TokenRow(id, "", (), None, None, 1, at)
        case "integrations":
            return ConnectionRow(id, "form", "", (), True, None, 1, at)
        case "stage_rules":
            values: dict[str, Any] = {name: "" for name in (*RULE_TEXTS, *TEMPLATE_TEXTS)}
            values |= {"stage": edge(n, "lost", "new", "won"), "enabled": True, "amount_at_least_minor": None}
            values |= {"task_due_hours": 0, "task_due_days": 0, "template_values": {}, "webhook_id": None}
            return StageRuleRow(stage_rule_id=id, version=1, touched_at=at, **values)
        case "webhooks":
            return WebhookRow(id, "", "https://example.com", (), (), (), False, True, "", None, 1, at)
    raise ValueError(name)


def row_in(row: Row, workspace: str) -> tuple[Id, Row]:
    """Returns the workspace and the row; in the other workspace its ids are others."""
    if workspace != OTHER:
        return Id(workspace), row
    values = msgspec.structs.asdict(row)
    ids = {name: id_of(f"other {value}") for name, value in values.items() if name.endswith("_id") and value}
    return Id(workspace), msgspec.structs.replace(row, **ids)
