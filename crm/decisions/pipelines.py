"""A pipeline that a person edits: what it may look like, and what becomes of the deals in it."""

from collections.abc import Iterator, Mapping, Sequence

from crm.commands import Code, Rejected
from crm.decisions.case import Case
from crm.decisions.stage_rule_guards import refuse_in_use
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import PipelineChanged
from crm.state import Numbers, Workspace
from crm.state.entities import ONLY, OUTCOMES

MOST_STAGES = 50
LONGEST = 100  # characters of a stage's key or label


def changed(
    case: Case,
    why: str,
    stages: Sequence[str],
    labels: Mapping[str, str],
    paid_stage: str | None = None,
    part_paid_stage: str | None = None,
    name: str | None = None,
    parcel_stages: Mapping[str, str] | None = None,
) -> Iterator[Event]:
    """The pipeline as it is from now on; what is None stays as it is. Raises Rejected."""
    workspace = workspace_of(case)
    paid = workspace.paid_stage if paid_stage is None else paid_stage
    part_paid = workspace.part_paid_stage if part_paid_stage is None else part_paid_stage
    refuse_odd(stages, labels)
    refuse_lost(case, workspace, stages)
    if paid not in (*stages, "won"):
        raise Rejected(
            "paidStage", Code.INVALID, f"Paid deals go to {paid!r}: it must be a stage, or won. Nothing was changed."
        )
    if part_paid not in stages:
        raise Rejected(
            "partPaidStage",
            Code.INVALID,
            f"Part-paid deals go to {part_paid!r}: it must be a stage. Nothing was changed.",
        )
    follows = workspace.parcel_stages if parcel_stages is None else parcel_stages
    for status, stage in follows.items():
        if stage not in (*stages, *OUTCOMES):
            why = f"Deals whose parcel is {status} go to {stage!r}: it must be a stage, won or lost."
            raise Rejected("parcelStages", Code.INVALID, why)
    event = PipelineChanged(
        meta=case.meta(case.fact.meta.workspace),
        pipeline_id=workspace.pipeline_id,
        name=workspace.name if name is None else name,
        stages=tuple(stages),
        labels={stage: labels[stage] for stage in stages if labels.get(stage, stage) != stage},
        paid_stage=paid,
        part_paid_stage=part_paid,
        why=why,
        parcel_stages=dict(follows),
    )
    said = event.name, event.stages, event.labels, event.paid_stage, event.part_paid_stage, event.parcel_stages
    was = (
        *(workspace.name, workspace.stages, workspace.labels, workspace.paid_stage, workspace.part_paid_stage),
        workspace.parcel_stages,
    )
    if said != was:
        yield event


def refuse_odd(stages: Sequence[str], labels: Mapping[str, str]) -> None:
    if not 1 <= len(stages) <= MOST_STAGES:
        raise Rejected("stages", Code.INVALID, f"A pipeline has 1 to {MOST_STAGES} stages. Nothing was changed.")
    for stage in stages:
        if stage != stage.strip() or not stage or len(stage) > LONGEST or len(labels.get(stage, "")) > LONGEST:
            raise Rejected(
                "stages", Code.INVALID, f"A stage's key and label have 1 to {LONGEST} characters. Nothing was changed."
            )
        if stage in OUTCOMES:
            raise Rejected(
                "stages", Code.INVALID, f"{stage!r} is no stage: it is how a deal ends. Nothing was changed."
            )
        if stages.count(stage) > 1:
            raise Rejected("stages", Code.TAKEN, f"There are two stages {stage!r}. Nothing was changed.")


def refuse_lost(case: Case, workspace: Workspace, stages: Sequence[str]) -> None:
    """No stage goes while deals stand in it, as nobody would see them any more, or while a stage rule names it."""
    numbers = case.state.get(Numbers, ONLY)
    for stage in workspace.stages:
        count = numbers.standing.get(stage, 0) if numbers else 0
        if stage not in stages and count > 0:
            why = f"{count} deals stand in {stage!r}. Nothing was changed: move them to another stage first."
            raise Rejected("stages", Code.IN_USE, why)
        if stage not in stages:
            names = (rule.name for rule in workspace.stage_rules.values() if rule.stage == stage)
            refuse_in_use(names, f"the stage {stage!r}", "stages")
