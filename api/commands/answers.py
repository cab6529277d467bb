"""What the answers of all mutations share: user errors, positions, and the rules of the Idempotency-Key."""

from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import FieldNode

from api.commands.inputs import description_of
from api.context import Info
from api.errors import ApiError, BadInput
from crm.commands import Code, Rejected

LONGEST_KEY = 200  # characters


class Conflict(ApiError):
    """An Idempotency-Key was reused for a different command."""

    code = "IDEMPOTENCY_KEY_REUSED"


strawberry.enum(Code, name="UserErrorCode", description=description_of(Code))


@strawberry.type(description="A mistake that the user can correct. Nothing was changed.")
class UserError:
    field: str | None = strawberry.field(description="Name of the input field with the mistake; null: the whole input.")
    message: str = strawberry.field(description="What is wrong and what to do, as text for the user.")
    code: Code = strawberry.field(description="What is wrong, as a code for programs.")


def user_error(refusal: Rejected) -> dict[str, Any]:
    """Returns a refusal as a user error."""
    return {"field": refusal.field or None, "message": refusal.message, "code": refusal.code}


def position_text(position: Mapping[int, int]) -> str:
    """Returns a position as the header CRM-Min-Position takes it."""
    return ",".join(f"{partition}:{next}" for partition, next in sorted(position.items()))


def idempotency_key_of(info: Info) -> str:
    """Returns the Idempotency-Key, or "". Raises BadInput when it would identify two commands."""
    key = info.context.idempotency_key or ""
    if not key:
        return ""
    check_key(key)
    selected = info._raw_info.operation.selection_set.selections
    if len(selected) != 1 or not isinstance(selected[0], FieldNode):
        raise BadInput(
            "With an Idempotency-Key send one mutation per request, or a `batch`, in which each command has its own. "
            "Nothing was changed."
        )
    return key


def check_key(key: str, where: str = "") -> str:
    """Returns the key. Raises BadInput when it is none."""
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise BadInput(f"{where}An Idempotency-Key has 1 to {LONGEST_KEY} printable characters. Nothing was changed.")
    return key
