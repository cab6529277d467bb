"""`crm webhooks`: sends events to receivers outside, replays them, and shows what became of each delivery."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from crm.webhook_urls import webhook_hosts
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import id_of, target
from services.cli.target import workspace as workspace_of

PANEL, RANK = "Connect", 2

app = typer.Typer(no_args_is_help=True, help="Sends events to receivers outside, signed. See docs/webhooks.md.")
Webhook = Annotated[str, typer.Argument(help="Id, as `crm webhooks list` shows it.")]
Url = Annotated[str, typer.Argument(help="Where events are sent, by POST: https, and public.")]
TYPES = typer.Option("--type", help="Type of events, such as DealOpened; may be repeated. Default: all.")
STAGES = typer.Option("--stage", help="Only what names this stage; may be repeated.")
CHANGED = typer.Option("--changed", help="Only what gives a value to this field; may be repeated.")
SINCE = typer.Option(help="From this moment on, such as 2026-11-01T00:00:00Z; `beginning`: all there ever was.")
SECRET = typer.Option(envvar="CRM_WEBHOOK_SECRET", help="whsec_ and 24 to 64 bytes in base64. Default: made up.")
Deliveries = Annotated[list[str], typer.Argument(help="Ids of deliveries. Default: all that were given up.")]


@app.command()
def add(
    url: Url,
    name: Annotated[str, typer.Option(help="Display name.")] = "",
    types: Annotated[list[str], TYPES] = [],  # noqa: B006
    stages: Annotated[list[str], STAGES] = [],  # noqa: B006
    changed: Annotated[list[str], CHANGED] = [],  # noqa: B006
    thin: Annotated[bool, typer.Option("--thin", help="Send ids only.")] = False,
    since: Annotated[str, SINCE] = "",
    secret: Annotated[str, SECRET] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Send events to a URL. The secret that signs them is printed once."""
    given = {"url": url, "name": name, "types": types, "stages": stages, "changed": changed, "thin": thin}
    moment = {"since": moment_of(since)} if since else {}
    hosts = {"private_hosts": private_hosts()}
    run("webhook_add", {**given, **moment, **hosts, "secret": secret}, workspace, data, json, "Events are sent there.")


@app.command()
def change(
    webhook: Webhook,
    url: Annotated[str | None, typer.Option(help="Another URL.")] = None,
    name: Annotated[str | None, typer.Option(help="Another display name.")] = None,
    types: Annotated[list[str] | None, TYPES] = None,
    stages: Annotated[list[str] | None, STAGES] = None,
    changed: Annotated[list[str] | None, CHANGED] = None,
    thin: Annotated[bool | None, typer.Option("--thin/--full", help="Send ids only, or all fields.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Go on where it stopped, or send nothing.")] = None,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a webhook, switch it off, or on again. What is not given stays as it is."""
    given = {"url": url, "name": name, "types": types, "stages": stages, "changed": changed}
    said: dict[str, Any] = {key: value for key, value in given.items() if value}
    said |= {key: value for key, value in (("thin", thin), ("enabled", enabled)) if value is not None}
    hosts = {"private_hosts": private_hosts()}
    run("webhook_change", {"webhook_id": id_of(webhook), **said, **hosts}, workspace, data, json, "Changed.")


@app.command()
def rotate(
    webhook: Webhook,
    hours: Annotated[int, typer.Option(help="For how long the old secret signs too.")] = 24,
    secret: Annotated[str, SECRET] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Replace the secret. For some hours each delivery has two signatures."""
    given = {"webhook_id": id_of(webhook), "hours": hours, "secret": secret}
    run("webhook_rotate", given, workspace, data, json, f"Both secrets sign for {hours} hours.")


@app.command()
def remove(webhook: Webhook, workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """Remove a webhook. What waits for it is not sent."""
    run("webhook_remove", {"webhook_id": id_of(webhook)}, workspace, data, json, "Removed.")


@app.command()
def replay(
    webhook: Webhook,
    since: Annotated[str, SINCE] = "beginning",
    positions: Annotated[str, typer.Option(help="In place of a moment: 12 positions by commas.")] = "",
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Send events once more, or for the first time: from any moment or position on."""
    start = {"positions": [int(one) for one in positions.split(",")]} if positions else {"since": moment_of(since)}
    run("webhook_replay", {"webhook_id": id_of(webhook), **start}, workspace, data, json, "The replay begins.")


@app.command()
def test(webhook: Webhook, workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """Send a test delivery. `crm webhooks log` shows what became of it."""
    run("webhook_test", {"webhook_id": id_of(webhook)}, workspace, data, json, "A test is sent.")


@app.command()
def retry(
    webhook: Webhook,
    deliveries: Deliveries = [],  # noqa: B006
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Send deliveries again that were given up."""
    given = {"webhook_id": id_of(webhook), "delivery_ids": [id_of(one) for one in deliveries]}
    run("webhook_retry", given, workspace, data, json, "They are sent again.")


@app.command()
def discard(
    webhook: Webhook,
    deliveries: Deliveries = [],  # noqa: B006
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Take deliveries off the list of those that were given up."""
    given = {"webhook_id": id_of(webhook), "delivery_ids": [id_of(one) for one in deliveries]}
    run("webhook_discard", given, workspace, data, json, "They are not sent any more.")


@app.command("list")
def list_(workspace: Workspace = "", data: Data = None, json: Json = False) -> None:
    """List the webhooks, and how many deliveries were given up."""
    from services.operations import webhooks

    found = asyncio.run(webhooks.webhooks_of(target(data).database_url, workspace_of(workspace, data)))
    if json:
        output.print_json(found)
        return
    rows = [
        (one["webhook_id"], one["name"], one["url"], " ".join(one["types"]) or "all", state_of(one), one["dead"])
        for one in found
    ]
    output.print_table(("id", "name", "url", "types", "state", "given up"), rows)


@app.command()
def log(
    webhook: Webhook,
    state: Annotated[str, typer.Option(help="waiting, delivered, dead, discarded or uncertain.")] = "",
    type: Annotated[str, typer.Option(help="Only events of this type, such as DealPaid.")] = "",
    card: Annotated[str, typer.Option(help="Only those of this card: `subject` of a delivery.")] = "",
    most: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1_000)] = 50,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Show the newest deliveries: state, attempts, the receiver's answer and how long it took."""
    from services.operations import webhooks

    where, owner = target(data).database_url, workspace_of(workspace, data)
    found = asyncio.run(webhooks.deliveries_of(where, owner, id_of(webhook), state, most, type, card))
    if json:
        output.print_json(found)
        return
    columns = ("id", "type", "state", "position", "attempts", "status", "ms", "error")
    names = ("id", "type", "state", "position", "attempts", "status", "took_ms", "error")
    output.print_table(columns, [tuple(one[name] for name in names) for one in found])


@app.command()
def show(
    webhook: Webhook,
    delivery: Annotated[str, typer.Argument(help="Id of a delivery, as `crm webhooks log` shows it.")],
    workspace: Workspace = "",
    data: Data = None,
) -> None:
    """Show one delivery as JSON: URL, the body that was sent, each attempt, the receiver's answer, milliseconds."""
    from services.operations import webhooks

    where, owner = target(data).database_url, workspace_of(workspace, data)
    output.print_json(asyncio.run(webhooks.delivery_of(where, owner, id_of(webhook), id_of(delivery))))


def state_of(one: Mapping[str, Any]) -> str:
    return "on" if one["enabled"] else f"off: {one['why']}".rstrip(": ")


def private_hosts() -> tuple[str, ...]:
    return webhook_hosts(os.environ.get("CRM_WEBHOOK_HOSTS", ""))


def moment_of(text: str) -> int:
    """Returns microseconds. Raises ValueError."""
    if text == "beginning":
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        why = f"{text!r} is no moment: give one such as 2026-11-01T00:00:00Z, or `beginning`. Nothing was changed."
        raise ValueError(why) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def run(name: str, given: Mapping[str, object], workspace: str, data: Any, json: bool, said: str) -> None:
    """Carries out a command and prints what it did."""
    from services.operations import webhooks

    where, owner = target(data), workspace_of(workspace, data)
    work = webhooks.carry_out_one(where.database_url, where.kafka_bootstrap, where.keys, owner, name, given)
    done = asyncio.run(work)
    if json:
        output.print_json(done._asdict())
        return
    typer.echo(done.secret or done.webhook_id)
    kept = " That is its secret: store it now, it is not shown again." if done.secret else ""
    output.say(f"{said}{kept} Webhook {done.webhook_id}.", err=True)
