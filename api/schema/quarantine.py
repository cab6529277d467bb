"""What is in a quarantined delivery: its raw bytes, and what the connector of this release makes of them."""

import base64
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.commands.quarantine import entry
from api.commands.quarantine_many import QUARANTINE_GROUPS
from api.commands.rereads import raw_of
from api.context import Info
from api.errors import BadInput
from api.schema.fields import Argument, field
from api.sql.database import json_decoder
from crm.commands import Rejected


@strawberry.type(description="A quarantined delivery as it came in. It may contain personal data.")
class RawDelivery:
    content_type: str = strawberry.field(description="Content type of the body, as sent.")
    headers: JSON = strawberry.field(description="Its headers, without those that prove who sent it.")
    query: str = strawberry.field(description="The query of its address.")
    size: int = strawberry.field(description="Bytes of the body.")
    text: str | None = strawberry.field(description="The body as UTF-8 text; null when it is none.")
    base64: str = strawberry.field(description="The exact bytes of the body.")


@strawberry.type(description="A fact that a delivery would be.")
class FactRead:
    type: str = strawberry.field(description="Type of the fact.")
    content: JSON = strawberry.field(description="What it says, without its envelope.")


@strawberry.type(description="What the connector of this release makes of a quarantined delivery. Nothing was changed.")
class DeliveryReread:
    status: str = strawberry.field(
        description="What it would be after `quarantineReparse`: released, waiting, or decided again."
    )
    summary: str = strawberry.field(description="The same as text for people.")
    facts: list[FactRead] = strawberry.field(description="The facts that it would be.")


async def raw(_: Any, info: Info, quarantine_id: str) -> RawDelivery | None:
    try:
        rereads, found = await entry(info.context, quarantine_id)
    except Rejected:
        return None
    delivery = raw_of(await rereads.record(found))
    try:
        text: str | None = delivery.body.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    return RawDelivery(
        content_type=delivery.content_type,
        headers=JSON(delivery.headers),
        query=delivery.query,
        size=len(delivery.body),
        text=text,
        base64=base64.b64encode(delivery.body).decode(),
    )


async def reread(_: Any, info: Info, quarantine_id: str) -> DeliveryReread:
    try:
        rereads, found = await entry(info.context, quarantine_id)
        again = await rereads.read_again(found, "")
    except Rejected as refusal:
        raise BadInput(refusal.message) from None
    facts = [FactRead(type=one.type, content=json_decoder.decode(one.content.encode())) for one in again.facts]
    return DeliveryReread(status=again.status, summary=again.summary, facts=facts)


WHICH = Argument(strawberry.ID, about="Which delivery.")
QUARANTINE = {
    "quarantine_groups": QUARANTINE_GROUPS,
    "quarantined_raw": field(
        RawDelivery | None,
        {"quarantine_id": WHICH},
        raw,
        "The raw bytes of a quarantined delivery; null when there is none. Needs the scope `connect`.",
    ),
    "quarantine_reread": field(
        DeliveryReread,
        {"quarantine_id": WHICH},
        reread,
        "What this release makes of a quarantined delivery, without changing anything. Needs the scope `connect`.",
    ),
}
