"""What comes to connections, and the connectors that there are: the field `activity` and the query `connectors`."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from types import GenericAlias
from typing import Any

import strawberry

from api.context import Info
from api.schema.fields import field
from crm.connection_activity import NOTHING, judged
from crm.connector import Connection
from crm.connector_catalogue import ConnectorEntry, catalogue
from crm.connector_settings import Setting
from crm.envelope import now
from crm.public_address import url_of
from crm.scalars import Micros

ABOUT = "What came to the connection in the last day, as of half a minute ago at most, and what to do."
CONNECTORS = "The connectors of this release: what can be connected, and what the workspace has connected."


@strawberry.type(description="What came to a connection. Counts are of the last day.")
class IntegrationActivity:
    state: str = strawberry.field(
        description="connected, never delivered, quiet (nothing for a week), failing (the last was not taken, or the "
        "vendor does not answer), off."
    )
    advice: str | None = strawberry.field(description="What to do, as text for people; null when nothing is.")
    taken: int = strawberry.field(description="Deliveries that were kept as facts.")
    quarantined: int = strawberry.field(description="Deliveries that could not be understood and are in quarantine.")
    refused: int = strawberry.field(description="Requests that were not authentic; nothing of them was kept.")
    failed: int = strawberry.field(description="Requests that were answered 503, so that the vendor sends them again.")
    last_delivery_at: datetime | None = strawberry.field(
        description="When the last authentic delivery was kept; null: never."
    )
    last_refused_at: datetime | None = strawberry.field(description="When the last request was refused; null: never.")
    last_refusal: str | None = strawberry.field(description="Why it was refused, as text for people.")


@strawberry.type(description="A setting of a connection, as forms ask for it.")
class ConnectorSetting:
    name: str = strawberry.field(description="What `connectionAdd` takes as its `key`.")
    description: str = strawberry.field(description="What it is, as text for people.")
    kind: str = strawberry.field(description="text, number, yes or no, country, currency.")
    required: bool = strawberry.field(description="Whether a connection needs it.")
    default: str = strawberry.field(description="What holds when it is not given.")
    choices: list[str] = strawberry.field(description="The values that it takes; empty: any of its kind.")
    pattern: str = strawberry.field(description="A regular expression that the whole text must match; empty: any.")
    example: str = strawberry.field(description="A value such as is expected; empty: there is none.")


@strawberry.type(description="A connector: how one vendor's deliveries are received.")
class Connector:
    name: str = strawberry.field(description="What `connectionAdd` takes as `connector`.")
    title: str = strawberry.field(description="Display name.")
    family: str = strawberry.field(description="What its facts are: forms, banking, calls, chats or facts.")
    proof: str = strawberry.field(
        description="How the vendor proves itself: signature, shared secret, address or access token."
    )
    secret: str | None = strawberry.field(
        description="What the secret of a connection is, as text for people; null where Potik makes one up."
    )
    secret_required: bool = strawberry.field(description="Whether a connection is off until it is given.")
    oauth: bool = strawberry.field(description="Whether its owner permits access by a link: `connectionAuthorize`.")
    connections: int = strawberry.field(description="How many connections the workspace has that are not switched off.")
    settings: list[ConnectorSetting] = strawberry.field(description="What a connection can be set to.")


async def activity(source: Any, info: Info) -> IntegrationActivity:
    known, id, at = info.context.activity, source["connection_id"], now()
    connection = connections_of(info).get(id)
    found = known.of(id, at) if known else NOTHING
    secret, locked = (bool(connection.secret), connection.locked) if connection else (True, "")
    entry = catalogue().get(source["connector"]) or ConnectorEntry(source["connector"], "", "", "address")
    state, said = judged(found, entry, id, at, enabled=source["enabled"], secret=secret, locked=locked)
    return IntegrationActivity(
        state=state,
        advice=said or None,
        taken=found.taken,
        quarantined=found.quarantined,
        refused=found.refused,
        failed=found.failed,
        last_delivery_at=moment(found.delivered_at),
        last_refused_at=moment(found.refused_at),
        last_refusal=found.refusal or None,
    )


def connections_of(info: Info) -> Mapping[str, Connection]:
    """Returns the connections of all workspaces; none where the server is read-only."""
    executor = info.context.executor
    return executor.access.connections if executor else {}


def moment(at: Micros | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at / 1_000_000, UTC)


async def connectors(_: Any, info: Info) -> list[Connector]:
    workspace = info.context.workspace()
    connections = connections_of(info).values()
    ours = Counter(one.connector for one in connections if one.enabled and one.workspace == workspace)
    return [
        Connector(
            name=entry.name,
            title=entry.title,
            family=entry.family,
            proof=entry.proof,
            secret=entry.secret or None,
            secret_required=entry.needs_secret,
            oauth=entry.oauth is not None,
            connections=ours[entry.name],
            settings=[setting_of(one) for one in entry.settings],
        )
        for entry in catalogue().values()
    ]


def setting_of(setting: Setting) -> ConnectorSetting:
    return ConnectorSetting(
        name=setting.name,
        description=setting.description,
        kind=setting.kind,
        required=setting.required,
        default=setting.default,
        choices=list(setting.choices),
        pattern=setting.pattern,
        example=setting.example,
    )


async def url(source: Any, info: Info) -> str | None:
    entry = catalogue().get(source["connector"])
    base = info.context.intake_url
    return (url_of(base, source["connection_id"], entry.proof if entry else "") or None) if base else None


URL = "Where its vendor delivers to; null for a vendor that is asked."
ACTIVITY = {
    "activity": field(IntegrationActivity, {}, activity, ABOUT),
    "url": field(str | None, {}, url, URL),
}
CONNECTORS_QUERY = field(GenericAlias(list, Connector), {}, connectors, CONNECTORS)
