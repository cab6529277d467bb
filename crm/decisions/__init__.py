"""Turns facts (what came in) into events (what happened): one pure decision for each type of fact.

The module of a decision declares a FactRule: the type of fact is named in no list.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import msgspec
from msgspec.structs import replace

from crm.commands import Command
from crm.decisions.case import Case
from crm.decisions.delivery import NO_RAW, quarantined, sent_by
from crm.decisions.fact_rule import FactRule
from crm.decisions.limits import clamp_times, violates_limits
from crm.decisions.loading import FOLLOW, Wanted, of_command
from crm.decisions.quarantine import fact_retried
from crm.decisions.stage_rules import consequences
from crm.envelope import Event, Fact
from crm.facts import FactRetried
from crm.state import Numbers, Workspace, fold_all
from crm.state.entities import ONLY

__all__ = ["FOLLOW", "RULES", "decided", "hints"]


ALWAYS: Wanted = ((Workspace, ONLY), (Numbers, ONLY))
encode = msgspec.json.Encoder().encode


def find_rules(package: ModuleType) -> dict[type[Fact], FactRule]:
    """Returns the rules that the modules of a package declare, by type of fact."""
    names = (m.name for m in iter_modules(package.__path__) if not m.ispkg)
    modules = (import_module(f"{package.__name__}.{name}") for name in names)
    return {rule.fact: rule for module in modules for rule in vars(module).values() if isinstance(rule, FactRule)}


def hints(fact: Fact) -> Wanted:
    """The first round: what the fact itself names."""
    if rule := RULES.get(type(fact)):
        return chain(ALWAYS, rule.hints(fact))
    return chain(ALWAYS, of_command(fact)) if isinstance(fact, Command) else ALWAYS


def decided(case: Case) -> list[Event]:
    """The events of a fact, at least one, each folded into the state. Whatever the state raises passes through."""
    events = fold_all(case.state, decision_of(case))
    return events + fold_all(case.state, consequences(case, events))


def decision_of(case: Case) -> Iterable[Event]:
    """Each event is to be folded before the next one is asked for."""
    clean = strip_nul(case.fact)
    case.fact = fact = clamp_times(clean, case.now)
    rule = RULES.get(type(fact), UNDECIDED)
    reason = why_not(clean, case, rule) if rule.needs_workspace else ""
    return [quarantined(case, sent_by(fact), reason)] if reason else rule.decide(fact, case)


def why_not(fact: Fact, case: Case, rule: FactRule) -> str:
    if case.state.get(Workspace, ONLY) is None:
        return (
            f"There is no workspace {fact.meta.workspace}. The delivery is kept. "
            "Create it with `crm workspace create --id`, then run `crm quarantine reparse --all`."
        )
    wrong = rule.check(fact)
    return f"{wrong[1]} Nothing was changed; it is kept here." if wrong else violates_limits(fact, rule)


def strip_nul(fact: Fact) -> Fact:
    """The fact without NUL in its texts, which Postgres cannot hold. The raw bytes stay as they are."""
    text = encode(fact)
    if b"\\" not in text or b"\\u0000" not in text:  # the first is found out at once
        return fact
    raw = getattr(fact, "raw", NO_RAW)
    bare: Any = replace(fact, raw=NO_RAW) if raw is not NO_RAW else fact
    clean = msgspec.convert(without_nul(msgspec.to_builtins(bare, builtin_types=(bytes,))), type(fact))
    return replace(clean, raw=raw) if raw is not NO_RAW else clean


def without_nul(value: Any) -> Any:
    """Also not as JSON's escape: custom fields are JSON text."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd")
        case dict():
            return {without_nul(name): without_nul(item) for name, item in value.items()}
        case list() | tuple():
            return [without_nul(item) for item in value]
    return value


NOTHING = "Nothing is decided on a {}. It is kept. Send it to its own topic."
UNDECIDED = FactRule(Fact, lambda f, case: [quarantined(case, sent_by(f), NOTHING.format(type(f).__name__))])
RETRIED = FactRule(FactRetried, lambda fact, case: fact_retried(fact, case, decision_of), needs_workspace=False)
RULES: dict[type[Fact], FactRule] = {**find_rules(sys.modules[__name__]), FactRetried: RETRIED}
