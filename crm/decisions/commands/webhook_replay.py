"""webhookReplay: events are sent once more, or for the first time."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, Rejected, command
from crm.decisions.case import Case
from crm.decisions.webhook_guards import require_webhook
from crm.envelope import Event
from crm.events import WebhookReplayed
from crm.scalars import Id, Micros
from crm.topics import JOURNAL


class WebhookReplay(Command, frozen=True, gc=False, kw_only=True):
    """Sends what the webhook asks for once more from a moment or a position on, also what was never tried and what is
    older than the webhook. A delivery that was made before has the same webhook-id."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]
    since: Annotated[Micros | None, About(description="From this moment on; 1970: from the beginning.")] = None
    positions: Annotated[
        tuple[int, ...],
        About(max_length=JOURNAL.partitions, description="In place of a moment: the next position of each partition."),
    ] = ()


@command(row="webhook", scope="connect")
def webhook_replay(command: WebhookReplay, case: Case) -> Iterator[Event]:
    require_webhook(case, command.webhook_id)
    if (command.since is None) == (not command.positions):
        raise Rejected("since", Code.REQUIRED, "Give either `since` or `positions`. Nothing was changed.")
    if command.positions and (len(command.positions) != JOURNAL.partitions or min(command.positions) < 0):
        why = (
            f"Give {JOURNAL.partitions} positions, one of each journal partition, as `next` of an event page has them."
        )
        raise Rejected("positions", Code.INVALID, f"{why} Nothing was changed.")
    since = command.since or Micros(0)
    yield WebhookReplayed(case.meta(command.webhook_id), command.webhook_id, since, command.positions)
