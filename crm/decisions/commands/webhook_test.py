"""webhookTest: a delivery to see whether the receiver works."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.webhook_guards import require_webhook
from crm.envelope import Event
from crm.events import WebhookTested
from crm.scalars import Id


class WebhookTest(Command, frozen=True, gc=False, kw_only=True):
    """Sends one event of the type WebhookTested, whatever the webhook asks for. Its delivery is in the log."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]
    text: Annotated[str, About(max_length=500, description="What the receiver reads.")] = "It works."


@command(row="webhook", scope="connect")
def webhook_test(command: WebhookTest, case: Case) -> Iterator[Event]:
    require_webhook(case, command.webhook_id)
    yield WebhookTested(case.meta(command.webhook_id), command.webhook_id, command.text)
