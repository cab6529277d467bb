"""The salespeople of a workspace: how they are named, and who may get something new."""

from crm.commands import Code, Rejected
from crm.decisions.case import Case, State
from crm.decisions.identifiers_input import email_identifier, phone_identifier
from crm.decisions.workspace import known_workspace, workspace_of
from crm.envelope import named_id
from crm.scalars import Id
from crm.state import Owner


def owner_id(workspace: Id, key: str) -> Id:
    """Returns the id of the salesperson with this key."""
    return named_id(workspace, f"owner/{key}")


def require_assignable(state: State, workspace: Id, key: str, field: str) -> str:
    """Returns the key without blanks around it. Raises Rejected when this owner is retired, or was never declared.

    Nobody (the empty text) can always be assigned; in a workspace that has declared no owners anybody can.
    """
    key = key.strip()
    if not key or not known_workspace(state).has_owners:
        return key
    owner = state.get(Owner, owner_id(workspace, key))
    if owner is None:
        why = f"There is no owner {key!r} in this workspace. Nothing was changed: `ownerAdd` adds one."
        raise Rejected(field, Code.NOT_FOUND, why)
    if not owner.active:
        why = f"{owner.name} ({key}) is retired and gets nothing new. Nothing was changed: choose another owner."
        raise Rejected(field, Code.INVALID, why)
    return key


def require_owner(case: Case, key: str) -> tuple[Id, Owner]:
    """Returns the owner with this key, and its id. Raises Rejected when there is none."""
    id = owner_id(case.fact.meta.workspace, key.strip())
    owner = case.state.get(Owner, id)
    if owner is None:
        why = f"There is no owner {key!r} in this workspace. Nothing was changed: `ownerAdd` adds one."
        raise Rejected("key", Code.NOT_FOUND, why)
    return id, owner


def reach(case: Case, email: str, phone: str) -> tuple[str, str]:
    """Returns an e-mail address and a phone number in their normal form, each empty when it was. Raises Rejected."""
    country = workspace_of(case).country
    return (
        email_identifier(email, "email").value if email.strip() else "",
        phone_identifier(phone, country, "phone").value if phone.strip() else "",
    )
