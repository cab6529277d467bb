"""webhookChange: another URL or other events, or a webhook is switched off or on."""

from collections.abc import Iterator
from typing import Annotated, Any

from crm.commands import HIDDEN, About, Command, ExpectedVersion, Short, command
from crm.decisions.case import Case
from crm.decisions.commands.webhook_add import PrivateHosts
from crm.decisions.guards import require_version
from crm.decisions.webhook_guards import check_stages, check_types, check_url, require_webhook
from crm.envelope import Event
from crm.events import WebhookChanged
from crm.scalars import Id

Line = Annotated[str, About(max_length=2_000)]
Names = Annotated[tuple[str, ...], About(max_length=200)]
FIELDS = ("name", "url", "types", "stages", "changed", "thin", "enabled")


class WebhookChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes a webhook. One that is switched off goes on where it stopped when it is switched on again."""

    webhook_id: Annotated[Id, About(description="Which webhook.")]
    url: Annotated[Line | None, About(description="Where events are sent, by POST.")] = None
    name: Annotated[Short | None, About(description="Display name.")] = None
    types: Annotated[Names | None, About(description="Types of events, such as DealOpened; empty: all.")] = None
    stages: Annotated[Names | None, About(description="Only what names one of these stages; empty: any.")] = None
    changed: Annotated[
        Names | None, About(description="Only what gives a value to one of these fields; empty: any.")
    ] = None
    thin: Annotated[bool | None, About(description="Whether only ids are sent.")] = None
    enabled: Annotated[bool | None, About(description="Whether anything is sent.")] = None
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(extra=HIDDEN)] = ""
    private_hosts: PrivateHosts = ()


@command(row="webhook", scope="connect")
def webhook_change(command: WebhookChange, case: Case) -> Iterator[Event]:
    kept = require_webhook(case, command.webhook_id)
    require_version(kept, command.expected_version)
    if command.url is not None:
        check_url(command.url, command.private_hosts)
    check_types(command.types or ())
    check_stages(command.stages or (), case)
    new: dict[str, Any] = {name: getattr(command, name) for name in FIELDS}
    changed = {name: value for name, value in new.items() if value is not None and value != getattr(kept, name)}
    if changed:
        meta = case.meta(command.webhook_id)
        yield WebhookChanged(meta, command.webhook_id, **changed, why=command.why)
