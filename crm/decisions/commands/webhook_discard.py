"""webhookDiscard: deliveries that were given up are not sent any more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.webhook_guards import require_webhook
from crm.envelope import Event
from crm.events import WebhookDeliveriesSettled
from crm.scalars import Id


class WebhookDiscard(Command, frozen=True, gc=False, kw_only=True):
    """Takes deliveries off the list of those that were given up. They stay in the log."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]
    delivery_ids: Annotated[
        tuple[Id, ...], About(max_length=1_000, description="Which deliveries; empty: all that were given up.")
    ] = ()


@command(row="webhook", scope="connect")
def webhook_discard(command: WebhookDiscard, case: Case) -> Iterator[Event]:
    require_webhook(case, command.webhook_id)
    meta, webhook_id = case.meta(command.webhook_id), command.webhook_id
    yield WebhookDeliveriesSettled(meta, webhook_id, False, command.delivery_ids)
