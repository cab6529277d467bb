"""A new fact takes a schema, a decision with its rule, and what folds its events: no list elsewhere names it."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

import pytest

from crm.decisions import RULES, find_rules, hints
from crm.decisions.limits import LAST
from crm.envelope import Fact
from crm.events import DeliveryNoted, FactQuarantined
from crm.facts import (
    CallReported,
    ContactReported,
    DealReported,
    FormSubmitted,
    MailReported,
    MessageReported,
    OrderReported,
    PaymentReported,
)
from crm.scalars import Id, Micros
from crm.shared import Phone
from crm.state import Identity, Numbers, Parked, Workspace
from crm.state.entities import ONLY
from crm.topics import TOPICS
from projections import PROJECTIONS
from services.intake import records
from services.intake.values import LineContext
from services.operations.reparse.corrections import fact_corrections
from services.operations.reparse.past_facts import PastFact
from services.operations.reparse.scan import renamed
from tests.support import planted_facts
from tests.support.planted_facts.crate import CrateReported, crate_reported
from tests.support.scenarios import (
    CONNECTION,
    NOON,
    RAW,
    SHOP,
    an,
    call,
    contact_report,
    deal_report,
    form,
    given,
    message,
    meta,
    order_report,
    paid,
)
from tests.support.tools import ROOT

FACTS = (CallReported, ContactReported, DealReported, FormSubmitted)
FACTS += (MailReported, MessageReported, OrderReported, PaymentReported)
FORM = {"FormSubmitted"}
REPORTS = {"ContactReported", "DealReported"}
NAMED = {  # besides connectors, which report facts
    "crm/facts.py": {fact.__name__ for fact in FACTS},  # generated
    "crm/decisions/call.py": {"CallReported"},
    "crm/decisions/chat.py": {"MessageReported"},
    "crm/decisions/chat_people.py": {"MessageReported"},
    "crm/decisions/mail.py": {"MailReported"},
    "crm/decisions/form.py": FORM,
    "crm/decisions/payment.py": {"PaymentReported"},
    "crm/decisions/contact_report.py": {"ContactReported"},
    "crm/decisions/deal_report.py": {"DealReported"},
    "crm/decisions/order.py": {"OrderReported", "DealReported", "PaymentReported"},  # an order is a deal with payments
    "crm/decisions/own_keys.py": REPORTS,  # what holds for all records that a source keeps under its own keys
    "crm/decisions/reported_people.py": REPORTS,
    "services/imports/rows.py": REPORTS,  # what a row of a table can say
    "services/imports/outcome.py": REPORTS,  # whose card it would go to
    "services/imports/ahead.py": REPORTS,  # what is read in a process of its own
    "services/attachments/mailed_imports.py": {"MailReported"},  # whose tables are imported
    "crm/screen_pop/rings.py": {"CallReported"},  # a ring is shown before it is decided
    "crm/decisions/deals.py": FORM,  # a form opens a deal with more than calls and messages know
    "crm/decisions/repeated_enquiry.py": FORM,
    "crm/enquiries.py": FORM,  # when two forms are the same enquiry
    "services/statements/facts.py": {"PaymentReported"},  # reports facts as connectors do
    "services/operations/reparse/corrections.py": FORM,  # a form is corrected by commands on its deal and contact,
    "services/operations/reparse/scan.py": FORM,  # any other fact by a newer one
}


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted package is found as crm.decisions is."""
    for fact, rule in find_rules(planted_facts).items():
        monkeypatch.setitem(RULES, fact, rule)


def crate(number: str = "+380501112233", **fields: Any) -> CrateReported:
    return CrateReported(
        meta("crate"), RAW, **{"crate": "p-1", "phone": Phone("", number), "changed_at": NOON} | fields
    )


def test_no_rule_is_lost_and_none_decides_on_another_fact() -> None:
    decisions = {rule.fact.__name__: getattr(rule.decide, "__name__", "") for rule in RULES.values()}
    assert decisions == {
        "CallReported": "call_reported",
        "ContactReported": "contact_reported",
        "DealReported": "deal_reported",
        "DeliveryDiscarded": "delivery_discarded",
        "ImportUndoReported": "undo_reported",
        "ImportedRecordUndone": "record_undone",
        "DeliveryKept": "delivery_kept",
        "DeliveryQuarantined": "delivery_quarantined",
        "DeliveryReparsed": "delivery_reparsed",
        "FactRetried": "<lambda>",
        "FormSubmitted": "form_submitted",
        "MailReported": "mail_reported",
        "MessageReported": "message_reported",
        "MessageStatusReported": "message_status_reported",
        "ObjectReported": "object_reported",
        "OrderReported": "order_reported",
        "ParcelReported": "parcel_reported",
        "PaymentPartReported": "payment_part_reported",
        "PaymentReported": "payment_reported",
        "ReplyAttempted": "reply_attempted",
    }
    assert all(fact is rule.fact for fact, rule in RULES.items())
    assert {RULES[fact].family for fact in FACTS} == {"calls", "forms", "chats", "banking", "facts"} <= TOPICS.keys()


def test_without_its_rule_a_fact_is_quarantined() -> None:
    story = given().when(crate()).then(an(FactQuarantined))
    assert story.events[0].reason == "Nothing is decided on a CrateReported. It is kept. Send it to its own topic."
    assert [*hints(crate())] == [(Workspace, ONLY), (Numbers, ONLY)]


@pytest.mark.usefixtures("planted")
def test_a_planted_fact_is_decided_and_loaded() -> None:
    assert RULES[CrateReported].decide is crate_reported
    story = given().when(crate()).then(an(DeliveryNoted))
    assert story.events[0].why == "crate p-1 moved"
    phone = "phone:+380501112233"
    assert [*hints(crate())][2:] == [(Identity, phone), (Parked, f"payer:{phone}")]


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (crate("+" + "3" * 200), "It names somebody by 'phone' of 207 characters"),
        (crate(changed_at=Micros(LAST + 1)), "It names a moment outside the years 1 to 9999."),
        (crate(delivered_at=Micros(LAST + 1)), "It names a moment outside the years 1 to 9999."),
    ],
)
def test_a_planted_fact_is_limited(fact: Fact, why: str) -> None:
    story = given().when(fact).then(an(FactQuarantined))
    assert story.events[0].reason.startswith(why)


@pytest.mark.usefixtures("planted")
def test_a_planted_fact_is_taken_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intake reads the rules when it starts: here a second copy of its module does."""
    spec = find_spec("services.intake.fact_lines")
    assert spec and spec.loader
    spec.loader.exec_module(lines := module_from_spec(spec))
    line = b'{"type": "CrateReported", "crate": "p-1", "phone": "050 111 22 33", "changed_at": "2026-01-01T00:00:00Z"}'
    context = LineContext(CONNECTION, SHOP, NOON)
    first, second = (lines.parse_line(line, lambda id=id: Id(id), context) for id in (SHOP, CONNECTION))
    assert (type(first), first.crate, first.phone.e164) == (CrateReported, "p-1", "+380501112233")
    assert first.meta.stream == second.meta.stream != first.meta.id != second.meta.id  # both are of one crate
    monkeypatch.setattr(records, "encode", lambda _: b"")
    monkeypatch.setitem(records.CE_TYPES, CrateReported, ("ce_type", b"CrateReported"))
    assert records.record_of(first, "calls").topic == "crm.intake.banking"


@pytest.mark.usefixtures("planted")
def test_a_planted_fact_is_corrected() -> None:
    old, new = crate(), crate("+380509999999", delivered_at=NOON)
    (step,) = fact_corrections(PastFact(old, "crm.intake.banking", 0, 1), new, NOON, "ops")
    assert (step.what, step.changes) == ("CrateReported", {"delivered_at": (None, NOON)})
    assert isinstance(step.fact, CrateReported) and step.fact.changed_at == NOON + 1
    assert RULES[CrateReported].row(old) == ("payment", "p-1")
    assert renamed(old, {SHOP: new}) == new


def test_a_fact_names_its_row() -> None:
    """Reparse finds deal and contact of a fact through the row."""
    facts: list[Fact] = [call("1", "ringing"), form("1"), message("1"), paid("1", 5)]
    facts += [deal_report("1"), contact_report("1"), order_report("1")]
    rows = [RULES[type(fact)].row(fact) for fact in facts]
    assert [row and row[0] for row in rows] == ["call", None, "conversation", "payment", "deal", "contact", "deal"]
    assert all("contact_id" in PROJECTIONS[row[0]].row.__struct_fields__ for row in rows if row)


def names_in(file: Path) -> Iterator[str]:
    """Yields identifiers and texts of a module."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Name(id=name) | ast.alias(name=name) | ast.Attribute(attr=name) | ast.ClassDef(name=name):
                yield name
            case ast.Constant(value=str(text)):
                yield text


def places(root: Path) -> dict[str, set[str]]:
    """Returns the facts that are named by modules other than connectors."""
    files = (
        file for room in ("crm", "services", "streams", "projections", "api") for file in (root / room).rglob("*.py")
    )
    known = {fact.__name__ for fact in FACTS}
    found = {file.relative_to(root).as_posix(): known.intersection(names_in(file)) for file in files}
    return {name: facts for name, facts in found.items() if facts and not name.startswith("services/connectors/")}


def test_facts_are_named_by_their_decisions_alone() -> None:
    assert places(ROOT) == NAMED


def test_a_planted_list_of_facts_is_found(tmp_path: Path) -> None:
    texts = {
        "crm/a.py": "from crm.facts import CallReported as C\n",
        "api/b.py": 'MONEY = "PaymentReported"\n',
        "streams/c.py": "from crm import facts\nX = {facts.FormSubmitted: 1}\n",
        "projections/d.py": '"""A PaymentReported is one thing."""\n',
        "services/connectors/e.py": "from crm.facts import CallReported\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {"crm/a.py": {"CallReported"}, "api/b.py": {"PaymentReported"}, "streams/c.py": {"FormSubmitted"}}
    assert places(tmp_path) == found
