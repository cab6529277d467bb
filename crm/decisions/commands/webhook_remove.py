"""webhookRemove: nothing is sent any more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.stage_rule_guards import refuse_in_use
from crm.decisions.webhook_guards import require_webhook
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import WebhookRemoved
from crm.scalars import Id


class WebhookRemove(Command, frozen=True, gc=False, kw_only=True):
    """Removes a webhook. What waits for it is not sent. Refused while a stage rule names it."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]


@command(row="webhook", scope="connect")
def webhook_remove(command: WebhookRemove, case: Case) -> Iterator[Event]:
    kept = require_webhook(case, command.webhook_id)
    rules = workspace_of(case).stage_rules.values()
    refuse_in_use((rule.name for rule in rules if rule.webhook_id == command.webhook_id), "this webhook", "webhookId")
    yield WebhookRemoved(case.meta(command.webhook_id), command.webhook_id, kept.name)
