"""Who gets a deal: the first rule that fits decides, and says why in words."""

import json
from collections.abc import Iterator

from crm.decisions.case import Case, State
from crm.decisions.contacts import cards
from crm.decisions.workspace import hour_in, workspace_of
from crm.envelope import Event
from crm.events import DealAssigned, DealOpened
from crm.scalars import Micros
from crm.shared import AssignmentRule
from crm.state import Contact, Load, Turn, Workspace, key, turn_key
from crm.zones import exists


def assigned(case: Case, deal: DealOpened, known: Contact | None) -> Iterator[Event]:
    """`known`: the deal's card as it was before the deal; None when it is new."""
    workspace = workspace_of(case)
    owner, rule, why = choice(case.state, workspace, deal, known)
    meta = case.meta(deal.meta.stream, actor=f"rule {rule}" if rule else "rules")
    yield DealAssigned(meta, deal.deal_id, deal.contact_id, owner, rule, workspace.rules_version, why)


def choice(state: State, workspace: Workspace, deal: DealOpened, known: Contact | None) -> tuple[str, str, str]:
    """Owner, rule and reason. The owner is empty when nobody shall have it."""
    if deal.suspicious:
        return "", "", f"nobody: it looks like a robot's ({deal.suspicious})"
    for contact in cards(state, known) if known else ():
        if contact.owner and contact.open_deals and contact.owner not in workspace.retired:
            return contact.owner, "", f"{contact.owner} already has an open deal with this contact"
    if not workspace.rules:
        return "", "", "nobody: the workspace has no assignment rules yet"
    version = workspace.rules_version
    for rule in workspace.rules:
        if fits(rule, deal, workspace.timezone):
            owner, how = pick(state, rule, version)
            return owner, rule.name, f"rule “{rule.name}” (version {version}): {how}{doubt(rule, workspace.timezone)}"
    return "", "", f"nobody: no rule of version {version} fits"


def fits(rule: AssignmentRule, deal: DealOpened, timezone: str) -> bool:
    return (
        rule.source in ("", deal.source)
        and (not rule.field or rule.value.casefold() in values_of(deal, rule.field))
        and during(rule, timezone, deal.meta.occurred_at)
    )


def during(rule: AssignmentRule, timezone: str, at: Micros) -> bool:
    """A rule from 18 to 9 is for the night."""
    if whole_day(rule):
        return True
    hour = hour_in(timezone, at)
    if rule.from_hour <= rule.to_hour:
        return rule.from_hour <= hour < rule.to_hour
    return hour >= rule.from_hour or hour < rule.to_hour


def whole_day(rule: AssignmentRule) -> bool:
    return rule.from_hour == 0 and rule.to_hour == 24


def doubt(rule: AssignmentRule, timezone: str) -> str:
    """What to add to the reason when the hours of the rule could not be those of the workspace."""
    if whole_day(rule) or exists(timezone):
        return ""
    return f"; hours were counted in UTC, as the workspace's time zone {timezone!r} does not exist"


def values_of(deal: DealOpened, name: str) -> set[str]:
    """A custom field as text, also as it was before it was converted, or utm_<name>; the empty text when there is
    none."""
    if name in deal.fields:
        return {text_of(deal.fields[name]), text_of(deal.written.get(name, deal.fields[name]))}
    return {deal.utm.get(name.removeprefix("utm_"), "").casefold() if name.startswith("utm_") else ""}


def text_of(value: str) -> str:
    """Custom fields are JSON text."""
    return str(json.loads(value)).casefold() if value.startswith('"') else value.casefold()


def pick(state: State, rule: AssignmentRule, version: int) -> tuple[str, str]:
    owners = rule.owners
    if not owners:
        return "", "nobody is named in it"
    if rule.pick == "round_robin":
        turn = state.get(Turn, turn_key(version, rule.name))
        place = (turn.count if turn else 0) % len(owners)
        return owners[place], f"round robin, turn {place + 1} of {len(owners)}"
    if rule.pick == "least_open":
        loads = [load.open_deals if (load := state.get(Load, key(owner))) else 0 for owner in owners]
        least = min(loads)
        return owners[loads.index(least)], f"least open deals, {least}"
    return owners[0], "the first of its owners"
