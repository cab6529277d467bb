"""A backfill of pairs: a form, and a call of the same person a minute later, each pair with a sender of its own."""

import json
from collections.abc import Iterator

from crm.envelope import Fact, named_id
from crm.facts import CallReported, FormSubmitted
from crm.scalars import Id, Micros
from crm.shared import Meta, Phone, Raw

RAW = Raw("application/json", {}, "", b"{}")
BEGIN = Micros(1_735_689_600_000_000)  # 2025-01-01
MINUTE = 60_000_000  # microseconds


def phone_of(pair: int) -> str:
    return f"+38067{1_000_000 + pair:07d}"


def pair_lines(count: int, named: bool = True) -> Iterator[bytes]:
    """Yields the lines of POST /facts in the order of time. `named`: they say their sender."""
    for n in range(count):
        sender, at = f"person {n}" if named else None, BEGIN + 2 * n * MINUTE
        form = {"type": "FormSubmitted", "id": f"form {n}", "sender": sender, "occurred_at": at}
        call = {"type": "CallReported", "id": f"call {n}", "sender": sender, "occurred_at": at + MINUTE}
        yield json.dumps({**form, "name": f"Person {n}", "phones": [phone_of(n)]}).encode()
        rest = {"call": f"c{n}", "phase": "completed", "direction": "in", "phone": phone_of(n)}
        yield json.dumps({**call, **rest}).encode()


def pair_facts(workspace: Id, count: int, actor: str = "") -> Iterator[Fact]:
    """Yields the same as facts, as a client writes them straight to Kafka. `actor`: that of intake, or none."""
    for n in range(count):
        phone, at = Phone(phone_of(n), phone_of(n)), Micros(BEGIN + 2 * n * MINUTE)
        sender = named_id(workspace, f"person {n}")
        form, call = named_id(workspace, f"form {n}"), named_id(workspace, f"call {n}")
        later = Micros(at + MINUTE)
        meta = Meta(form, workspace, sender, at, at, sender, form, actor=actor)
        yield FormSubmitted(meta, RAW, name=f"Person {n}", phones=(phone,))
        meta = Meta(call, workspace, sender, later, later, sender, call, actor=actor)
        yield CallReported(meta, RAW, f"c{n}", "completed", "in", phone)
