"""webhookRetry: deliveries that were given up are sent again."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.webhook_guards import require_webhook
from crm.envelope import Event
from crm.events import WebhookDeliveriesSettled
from crm.scalars import Id


class WebhookRetry(Command, frozen=True, gc=False, kw_only=True):
    """Sends deliveries again that were given up, each in its turn and with the same webhook-id."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]
    delivery_ids: Annotated[
        tuple[Id, ...], About(max_length=1_000, description="Which deliveries; empty: all that were given up.")
    ] = ()


@command(row="webhook", scope="connect")
def webhook_retry(command: WebhookRetry, case: Case) -> Iterator[Event]:
    require_webhook(case, command.webhook_id)
    meta, webhook_id = case.meta(command.webhook_id), command.webhook_id
    yield WebhookDeliveriesSettled(meta, webhook_id, True, command.delivery_ids)
