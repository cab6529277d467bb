"""How a workspace's own events change the state: its settings, pipeline, rules, owners, custom fields."""

from msgspec.structs import replace

from crm.events import (
    AssignmentRulesSet,
    FieldDefined,
    FieldRetired,
    OwnerChanged,
    PipelineChanged,
    StageRuleDefined,
    StageRuleRemoved,
    WorkspaceChanged,
    WorkspaceCreated,
)
from crm.state.entities import ONLY, Workspace
from crm.state.entity import Changes, State, known
from crm.state.manual_entities import Definition, Fields, Owner


def workspace_created(state: State, event: WorkspaceCreated) -> None:
    workspace = Workspace(
        name=event.name,
        country=event.country,
        currency=event.currency,
        timezone=event.timezone,
        stages=event.stages,
        paid_stage=event.paid_stage,
        part_paid_stage=event.part_paid_stage,
        pipeline_id=event.meta.id,
        version=1,
    )
    state.put(ONLY, workspace)


def rules_set(state: State, event: AssignmentRulesSet) -> None:
    workspace = known(state, Workspace, ONLY)
    id = event.assignment_rules_id or event.meta.id
    state.put(ONLY, replace(workspace, rules_version=event.version, rules=event.rules, assignment_rules_id=id))


def workspace_changed(state: State, event: WorkspaceChanged) -> None:
    workspace = known(state, Workspace, ONLY)
    changed = replace(
        workspace,
        name=event.name,
        country=event.country,
        currency=event.currency,
        timezone=event.timezone,
        version=workspace.version + 1,
    )
    state.put(ONLY, changed)


def owner_changed(state: State, event: OwnerChanged) -> None:
    before = state.get(Owner, event.owner_id)
    owner = Owner(
        key=event.key,
        name=event.name,
        email=event.email,
        phone=event.phone,
        extension=event.extension,
        active=event.active,
        version=before.version + 1 if before else 1,
    )
    state.put(event.owner_id, owner)
    workspace = known(state, Workspace, ONLY)
    others = tuple(key for key in workspace.retired if key != event.key)
    state.put(ONLY, replace(workspace, has_owners=True, retired=others if event.active else (*others, event.key)))


def pipeline_changed(state: State, event: PipelineChanged) -> None:
    workspace = known(state, Workspace, ONLY)
    changed = replace(
        workspace,
        name=event.name,
        stages=event.stages,
        labels=event.labels,
        paid_stage=event.paid_stage,
        part_paid_stage=event.part_paid_stage,
        parcel_stages=event.parcel_stages,
        version=workspace.version + 1,
    )
    state.put(ONLY, changed)


def field_defined(state: State, event: FieldDefined) -> None:
    fields = state.get(Fields, event.entity) or Fields()
    before = fields.known.get(event.key)
    again = before is not None and before.field_id == event.field_id
    definition = Definition(
        field_id=event.field_id,
        label=event.label,
        type=event.type,
        options=event.options,
        required=event.required,
        version=before.version + 1 if before and again else 1,
    )
    state.put(event.entity, Fields({**fields.known, event.key: definition}))


def field_retired(state: State, event: FieldRetired) -> None:
    fields = known(state, Fields, event.entity)
    before = fields.known[event.key]
    retired = replace(before, retired=True, version=before.version + 1)
    state.put(event.entity, Fields({**fields.known, event.key: retired}))


def stage_rule_defined(state: State, event: StageRuleDefined) -> None:
    workspace = known(state, Workspace, ONLY)
    state.put(ONLY, replace(workspace, stage_rules={**workspace.stage_rules, event.stage_rule_id: event.rule}))


def stage_rule_removed(state: State, event: StageRuleRemoved) -> None:
    workspace = known(state, Workspace, ONLY)
    left = {id: rule for id, rule in workspace.stage_rules.items() if id != event.stage_rule_id}
    state.put(ONLY, replace(workspace, stage_rules=left))


CHANGES: Changes = {
    WorkspaceCreated: workspace_created,
    AssignmentRulesSet: rules_set,
    PipelineChanged: pipeline_changed,
    WorkspaceChanged: workspace_changed,
    OwnerChanged: owner_changed,
    FieldDefined: field_defined,
    FieldRetired: field_retired,
    StageRuleDefined: stage_rule_defined,
    StageRuleRemoved: stage_rule_removed,
}
