"""webhookRemove: nothing is sent any more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.webhook_guards import require_webhook
from crm.envelope import Event
from crm.events import WebhookRemoved
from crm.scalars import Id


class WebhookRemove(Command, frozen=True, gc=False, kw_only=True):
    """Removes a webhook. What waits for it is not sent."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]


@command(row="webhook", scope="connect")
def webhook_remove(command: WebhookRemove, case: Case) -> Iterator[Event]:
    kept = require_webhook(case, command.webhook_id)
    yield WebhookRemoved(case.meta(command.webhook_id), command.webhook_id, kept.name)
