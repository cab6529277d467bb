"""Stage rules for tests: sessions that have some, leads and chats that set them off, and what they did."""

from typing import Any

from msgspec.structs import replace

from crm.envelope import Event
from crm.events import StageRuleApplied
from crm.scalars import Id, Micros
from crm.state import Workspace, known
from crm.state.entities import ONLY
from tests.support.operator_session import OperatorSession
from tests.support.scenarios import MINUTE, NOON, form, message, shop

HOUR = 60 * MINUTE
OLENA, PETRO = "+380671234567", "+380501234567"
CALL = {"title": "Call {contact_name}", "due_hours": 2}
GREET = {"name": "greet", "stage": "new", "task": CALL}
OFFER = {"name": "offer", "stage": "in_progress", "message": {"text": "{contact_name}, {deal_number} is on its way."}}
TEMPLATE = {
    "name": "ready",
    "language": "uk",
    "text": "{{1}}: {{2}}",
    "values": {"1": "{contact_name}", "2": "{stage}"},
}


def session_with(*rules: dict[str, Any], before: list[Event] | None = None) -> OperatorSession:
    session = OperatorSession(*(before or shop()))
    for rule in rules:
        session.do("stage_rule_define", rule=rule)
    return session


def lead(key: str = "1", at: int = NOON, **said: Any) -> Any:
    return form(key, at, phones=[OLENA], **({"name": "Olena"} | said))


def written(connector: str = "telegram", at: int = NOON, **said: Any) -> Any:
    fields = {"channel": connector, "text": "Hi", "sender_name": "Olena", "sent_at": at}
    fact = message(f"{connector} {at} {said}", **(fields | said))
    return replace(fact, meta=replace(fact.meta, actor=connector, occurred_at=Micros(at), recorded_at=Micros(at)))


def move(session: OperatorSession, stage: str = "in_progress", number: int = 1) -> OperatorSession:
    return session.do("deal_move_stage", deal_id=session.id_of(number), stage=stage)


def applied(session: OperatorSession) -> list[StageRuleApplied]:
    return [event for event in session.events if isinstance(event, StageRuleApplied)]


def rules_of(session: OperatorSession) -> list[Id]:
    return [*known(session.state, Workspace, ONLY).stage_rules]
