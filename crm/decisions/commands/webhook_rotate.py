"""webhookRotate: another secret, without a delivery that the receiver cannot verify."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, About, Command, command
from crm.decisions.case import Case
from crm.decisions.commands.webhook_add import Secret
from crm.decisions.webhook_guards import check_secret, require_webhook
from crm.envelope import Event
from crm.events import WebhookRotated
from crm.scalars import Id, Micros

HOUR = 3_600_000_000  # microseconds


class WebhookRotate(Command, frozen=True, gc=False, kw_only=True):
    """Replaces the secret of a webhook. For some hours each delivery has two signatures: of the old and the new one."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]
    secret: Secret = ""
    hours: Annotated[int, About(ge=0, le=720, description="For how long the old one signs too; 0: not at all.")] = 24
    previous_secret: Annotated[str, About(extra=HIDDEN)] = ""


@command(row="webhook", scope="connect")
def webhook_rotate(command: WebhookRotate, case: Case) -> Iterator[Event]:
    kept = require_webhook(case, command.webhook_id)
    if command.secret:
        check_secret(command.secret)
    both_until = Micros(case.now + command.hours * HOUR)
    yield WebhookRotated(case.meta(command.webhook_id), command.webhook_id, kept.name, both_until)
