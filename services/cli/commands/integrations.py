"""`crm integrations`: every connector, the connections of a workspace, what came to them, and what to do."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from crm.connector_catalogue import catalogue
from crm.public_address import intake_url
from crm.scalars import Micros
from crm.settings import Settings
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target
from services.cli.target import workspace as workspace_of
from services.operations import integrations as listing
from services.operations.integrations import ConnectorReport

PANEL, RANK = "Connect", 2
TIMES = ("taken_at", "quarantined_at", "refused_at", "failed_at")
COLUMNS = ("connector", "name", "state", "last delivery", "taken", "refused", "quarantined", "503", "connection")


def integrations(
    every: Annotated[bool, typer.Option("--all", help="Also connectors without a connection.")] = False,
    workspace: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """List the connections of a workspace: state, last delivery, errors of the last day, and what to do.

    With --json every connector is listed, and the facts of its kind that are not decided yet (`lag`).
    """
    where, settings = target(data), Settings.read()
    base = intake_url(settings, where.intake_url)
    found = asyncio.run(
        listing.integrations(where.kafka_bootstrap, where.database_url, workspace_of(workspace, data), base, where.keys)
    )
    if json:
        output.print_json([plain(one) for one in found])
        return
    rows = [row for one in found for row in rows_of(one, every)]
    if rows:
        output.print_table(COLUMNS, rows)
    for one in found:
        for connection in one.connections:
            if connection.advice:
                output.say(f"{one.connector} {connection.name!r}: {connection.advice}")
    behind = sum({one.family: one.lag for one in found if one.connections}.values())
    if behind:
        output.say(f"{behind:,} facts are kept and not decided yet: `crm status`.")
    connected = sum(bool(one.connections) for one in found)
    if not every:
        output.say(
            f"{len(catalogue()) - connected} more connectors: `crm integrations --all`, `crm connect VENDOR --help`."
        )


def rows_of(one: ConnectorReport, every: bool) -> list[tuple[object, ...]]:
    if not one.connections:
        return [(one.connector, one.title, "", "", "", "", "", "", "")] if every else []
    return [
        (
            *(one.connector, c.name, c.state, moment(c.activity.delivered_at)),
            *(c.activity.taken, c.activity.refused, c.activity.quarantined, c.activity.failed, c.connection),
        )
        for c in one.connections
    ]


def plain(one: ConnectorReport) -> dict[str, Any]:
    """Returns a connector for --json: times in ISO 8601, UTC."""
    found: dict[str, Any] = msgspec.to_builtins(one)
    for connection in found["connections"]:
        activity = connection.pop("activity")
        polled = activity.pop("polled") or {}
        moments = activity["taken_at"], activity["quarantined_at"], polled.get("found_at")
        delivered = max((at for at in moments if at is not None), default=None)
        times = {"last_delivery_at": delivered, **{name: activity.pop(name) for name in TIMES}}
        connection |= {"last_day": activity, "last_refusal": activity.pop("refusal") or None}
        connection |= {name: moment(at) for name, at in times.items()}
        connection["last_answer_at"] = moment(polled.get("answered_at"))
        connection["problem"] = polled.get("problem") or None
        connection["advice"] = connection["advice"] or None
    return found


def moment(at: Micros | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1_000_000, UTC).isoformat()
