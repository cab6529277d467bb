"""Checks of what is asked of a webhook: its URL, its secret, the types and fields that it names."""

import base64
from binascii import Error as NotBase64
from collections.abc import Iterable

from crm import events
from crm.commands import Code, Rejected
from crm.decisions.case import Case
from crm.decisions.guards import require
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.scalars import Id
from crm.state import WebhookKept
from crm.webhook_urls import problem

TYPES = frozenset(
    name for name, kind in vars(events).items() if isinstance(kind, type) and issubclass(kind, Event) and kind != Event
)
PREFIX, SHORTEST, LONGEST = "whsec_", 24, 64  # bytes of a secret; of the standard's own words
MOST = 50


def require_webhook(case: Case, webhook_id: Id) -> WebhookKept:
    """Raises Rejected when there is none, or it was removed."""
    kept = require(case.state, WebhookKept, webhook_id, "webhookId", "webhook")
    if kept.removed:
        raise Rejected("webhookId", Code.NOT_FOUND, f"There is no webhook {webhook_id}. Nothing was changed.")
    return kept


def check_url(url: str, private_hosts: tuple[str, ...]) -> None:
    if why := problem(url, private_hosts):
        raise Rejected("url", Code.INVALID, f"{why} Nothing was changed.")


def check_types(types: Iterable[str]) -> None:
    if unknown := sorted(set(types) - TYPES):
        why = f"There is no event type {', '.join(unknown)}. docs/events.md lists them. Nothing was changed."
        raise Rejected("types", Code.NOT_FOUND, why)


def check_stages(stages: Iterable[str], case: Case) -> None:
    known = workspace_of(case).stages
    if unknown := sorted(set(stages) - set(known)):
        why = f"There is no stage {', '.join(unknown)}. Stages are {', '.join(known)}. Nothing was changed."
        raise Rejected("stages", Code.NOT_FOUND, why)


def check_secret(secret: str) -> None:
    """A secret of Standard Webhooks: whsec_ and 24 to 64 bytes in base64. Raises Rejected."""
    try:
        size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except (NotBase64, ValueError):
        size = 0
    if not secret.startswith(PREFIX) or not SHORTEST <= size <= LONGEST:
        why = f"A secret is {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64; leave it out and Potik makes one."
        raise Rejected("secret", Code.INVALID, f"{why} Nothing was changed.")
