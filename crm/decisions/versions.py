"""Which version the row of a thing has, as the state knows it: read models may lag behind."""

from crm.decisions.case import Entity, State
from crm.scalars import Id
from crm.state import (
    ConnectionKept,
    Contact,
    Deal,
    Fields,
    Note,
    Object,
    ObjectType,
    ObjectTypes,
    Owner,
    Payment,
    Task,
    TokenKept,
    WebhookKept,
    Workspace,
)
from crm.state.entities import ONLY

BY_ID: dict[str, type[Entity]] = {
    "contact": Contact,
    "deal": Deal,
    "payment": Payment,
    "note": Note,
    "task": Task,
    "object": Object,
    "connection": ConnectionKept,
    "token": TokenKept,
    "webhook": WebhookKept,
    "owner": Owner,
}


def version_of(state: State, row: str, key: Id) -> int | None:
    """None when such rows have none, or there is no such thing."""
    if row == "pipeline":
        workspace = state.get(Workspace, ONLY)
        return workspace.version if workspace else None
    if row == "assignment_rules":
        workspace = state.get(Workspace, ONLY)
        return workspace.rules_version if workspace else None
    if row == "stage_rule":
        workspace = state.get(Workspace, ONLY)
        rule = workspace.stage_rules.get(key) if workspace else None
        return rule.version if rule else None
    if row == "field":
        known = [fields.known for entity in ("deal", "contact") if (fields := state.get(Fields, entity))]
        return next((d.version for one in known for d in one.values() if d.field_id == key), None)
    if row == "object_type":
        types = (state.get(ObjectType, name) for name in (state.get(ObjectTypes, ONLY) or ObjectTypes()).keys)
        return next((found.version for found in types if found and found.object_type_id == key), None)
    kind = BY_ID.get(row)
    entity = state.get(kind, key) if kind else None
    version: int | None = getattr(entity, "version", None)
    return None if entity is None or taken_away(entity) else version


def taken_away(entity: Entity) -> bool:
    """Its row is gone."""
    if isinstance(entity, Object):
        return not entity.shown
    if isinstance(entity, WebhookKept):
        return entity.removed
    return (isinstance(entity, Note) and entity.removed) or (isinstance(entity, Task) and entity.status == "removed")
