"""Stage rules: what follows of itself when a deal reaches a stage.

They are run once, on the events of a decision, and never on what they yield. What they yield, a task, an answer that is
queued and the word that a rule was applied, moves no deal. So no rule can set off another one, or itself.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from crm.commands import Command
from crm.decisions.case import Case
from crm.decisions.quarantine import original
from crm.decisions.rule_messages import message_of
from crm.decisions.rule_variables import filled, missing, values_of
from crm.decisions.settlement import in_words
from crm.decisions.workspace import workspace_of
from crm.envelope import Event, Fact
from crm.events import DealOpened, DealStageMoved, ReplyQueued, StageRuleApplied, TaskAdded
from crm.facts import FactRetried
from crm.scalars import Id, Micros
from crm.shared import StageRule
from crm.state import Deal, Workspace, known
from crm.state.entities import ONLY
from crm.versions import OPEN_API

HOUR = 3_600_000_000  # microseconds
NEWS = 48 * HOUR  # a statement of a bank tells the day alone, and comes on the next one


class Fitting(NamedTuple):
    """A rule and a deal that it acts on. `why`: what of the deal fits, in words."""

    id: Id
    rule: StageRule
    deal: Deal
    why: str

    @property
    def reason(self) -> str:
        return f"rule “{self.rule.name}” (version {self.rule.version}): {self.why}"


def consequences(case: Case, events: Sequence[Event]) -> Iterator[Event]:
    """Yields what the rules of the workspace do on these events, which are all of one decision. Each is to be folded
    before the next one is asked for."""
    workspace = case.state.get(Workspace, ONLY)
    if workspace is None or not workspace.stage_rules:
        return
    rules = sorted(workspace.stage_rules.items(), key=lambda pair: pair[1].name)
    for deal_id in reached(case, events):
        for id, rule in rules:
            deal = known(case.state, Deal, deal_id)
            if rule.enabled and rule.stage == deal.stage and id not in deal.stage_rules and fits(rule, deal):
                yield from applied(case, Fitting(id, rule, deal, in_short(rule, deal)))


def reached(case: Case, events: Sequence[Event]) -> list[Id]:
    """Returns the deals that stand in another stage than before the decision. Not those that only pass through one, not
    a robot's, and nothing that is not news."""
    began: dict[Id, str] = {}
    robots: set[Id] = set()
    for event in events:
        if isinstance(event, DealOpened | DealStageMoved) and is_news(case, event):
            began.setdefault(event.deal_id, event.from_stage if isinstance(event, DealStageMoved) else "")
            robots |= {event.deal_id} if isinstance(event, DealOpened) and event.suspicious else set()
    return [id for id, stage in began.items() if id not in robots and known(case.state, Deal, id).stage != stage]


def is_news(case: Case, event: Event) -> bool:
    """Whether it happens now. A past that is loaded, or whose moment nobody says, is no ground to write to people."""
    if case.trial:
        return True
    fact = original(case.fact) if isinstance(case.fact, FactRetried) else case.fact
    loaded = fact.occurred_at is not None if isinstance(fact, Command) else is_imported(fact) or says_no_moment(fact)
    return not loaded and case.now - event.meta.occurred_at <= NEWS


def is_imported(fact: Fact) -> bool:
    """Whether it is a row of a file."""
    raw = getattr(fact, "raw", None)
    return fact.meta.actor == OPEN_API and raw is not None and raw.query.startswith("import=")


def says_no_moment(fact: Fact) -> bool:
    """Whether it is a report of a record, as they are sent by the thousand, that does not say when it changed."""
    return (
        fact.meta.actor == OPEN_API
        and getattr(fact, "changed_at", 0) is None
        and (fact.meta.occurred_at == fact.meta.recorded_at)
    )


def fits(rule: StageRule, deal: Deal) -> bool:
    least = rule.amount_at_least_minor
    return (
        rule.source in ("", deal.source)
        and rule.owner in ("", deal.owner)
        and (least is None or (deal.currency == rule.currency and deal.amount_minor >= least))
    )


def in_short(rule: StageRule, deal: Deal) -> str:
    """Returns what of a deal fitted a rule."""
    parts = [f"D-{deal.number} reached {deal.stage}"]
    parts += [f"its source is {deal.source}"] if rule.source else []
    parts += [f"its owner is {deal.owner}"] if rule.owner else []
    parts += [f"it is worth {in_words(deal.amount_minor, deal.currency)}"] if rule.amount_at_least_minor else []
    return ", ".join(parts)


def applied(case: Case, fitting: Fitting) -> Iterator[Event]:
    """First that the rule was applied, with what it did and what it left out; then what it did."""
    id, rule, deal, _ = fitting
    values = values_of(case, deal)
    did: list[Event] = []
    done: list[str] = []
    left_out: list[str] = []
    actor = f"rule {rule.name}"
    word = case.meta(deal.contact_id, actor)
    task = message = None
    if rule.task and (lacks := missing(rule.task.title, values)):
        left_out.append(f"No task: nothing is known for {in_braces(lacks)}.")
    elif rule.task:
        task = task_of(case, fitting, filled(rule.task.title, values))
        did.append(task)
        done.append(f"Task for {task.owner or 'nobody'}: {task.title}")
    if rule.message:
        message = message_of(case, id, rule.message, deal, values, fitting.reason, actor)
        if isinstance(message, ReplyQueued):
            did.append(message)
            done.append(f"Message by {message.connector}: {message.text}")
        else:
            left_out.append(f"No message: {message}")
    if rule.webhook_id:
        done.append("A webhook is sent this.")
    yield StageRuleApplied(
        meta=word,
        deal_id=deal.deal_id,
        contact_id=deal.contact_id,
        stage_rule_id=id,
        rule=rule.name,
        version=rule.version,
        stage=deal.stage,
        why=fitting.why,
        done=tuple(done),
        left_out=tuple(left_out),
        task_id=task.task_id if task else None,
        message_id=message.message_id if isinstance(message, ReplyQueued) else None,
        webhook_id=rule.webhook_id,
    )
    yield from did


def in_braces(names: Sequence[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def task_of(case: Case, fitting: Fitting, title: str) -> TaskAdded:
    id, rule, deal, _ = fitting
    assert rule.task
    after = (rule.task.due_hours + 24 * rule.task.due_days) * HOUR
    owner = rule.task.owner or deal.owner
    return TaskAdded(
        meta=case.meta(deal.contact_id, f"rule {rule.name}"),
        task_id=case.new_id(f"stage_rule/{id}/{deal.deal_id}/task"),
        contact_id=deal.contact_id,
        title=title,
        deal_id=deal.deal_id,
        due_at=Micros(case.moment + after) if after else None,
        owner="" if owner in workspace_of(case).retired else owner,
        why=fitting.reason,
    )
