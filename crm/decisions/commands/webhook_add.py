"""webhookAdd: events are sent to a URL."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import HIDDEN, SECRET, About, Command, command
from crm.decisions.case import Case
from crm.decisions.webhook_guards import MOST, check_secret, check_stages, check_types, check_url
from crm.envelope import Event
from crm.events import WebhookAdded
from crm.scalars import Micros

Url = Annotated[str, About(max_length=2_000, description="Where events are sent, by POST. https, and public.")]
Secret = Annotated[
    str,
    About(max_length=200, description="`whsec_` and 24 to 64 bytes in base64; empty: Potik makes one.", extra=SECRET),
]
Types = Annotated[
    tuple[str, ...], About(max_length=200, description="Types of events, such as DealOpened; empty: all.")
]
Stages = Annotated[
    tuple[str, ...], About(max_length=MOST, description="Only what names one of these stages; empty: any.")
]
Changed = Annotated[
    tuple[str, ...],
    About(max_length=MOST, description="Only what gives a value to one of these fields, custom or not; empty: any."),
]
Thin = Annotated[bool, About(description="Whether only ids are sent, and the receiver reads the rest by GraphQL.")]
PrivateHosts = Annotated[tuple[str, ...], About(extra=HIDDEN)]


class WebhookAdd(Command, frozen=True, gc=False, kw_only=True):
    """Sends events to a URL, signed as Standard Webhooks has it. See docs/webhooks.md."""

    url: Url
    name: Annotated[str, About(max_length=200, description="Display name; empty: the host.")] = ""
    types: Types = ()
    stages: Stages = ()
    changed: Changed = ()
    thin: Thin = False
    since: Annotated[
        Micros | None, About(description="Also what was recorded from this moment on; null: from now on.")
    ] = None
    secret: Secret = ""
    private_hosts: PrivateHosts = ()


@command(row="webhook", scope="connect")
def webhook_add(command: WebhookAdd, case: Case) -> Iterator[Event]:
    check_url(command.url, command.private_hosts)
    check_types(command.types)
    check_stages(command.stages, case)
    if command.secret:
        check_secret(command.secret)
    webhook_id = case.new_id("webhook")
    since = case.now if command.since is None else command.since
    wanted = command.types, command.stages, command.changed, command.thin
    name = command.name.strip() or command.url.partition("//")[2].partition("/")[0]
    yield WebhookAdded(case.meta(webhook_id), webhook_id, name, command.url, since, *wanted)
