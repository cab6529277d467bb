"""Times that a vendor writes without their zone."""

from typing import Annotated

from msgspec import Meta

from crm.connector import Connection
from crm.errors import Malformed
from crm.scalars import Micros
from crm.zones import exists, of_workspace
from services.connectors.formats.times import from_datetime

Timezone = Annotated[
    str,
    Meta(
        description="The time zone in which the vendor writes times, such as Europe/Kyiv. Empty: the workspace's.",
        examples=["Europe/Kyiv"],
    ),
]


def local_moment(text: str, connection: Connection) -> Micros | None:
    """Returns a time such as 2026-10-05 09:14:00; None when it cannot be read. An hour that the clock shows twice is
    the first of the two."""
    name = connection.settings.get("timezone", "").strip()
    try:
        return from_datetime(text, of_workspace(name if exists(name) else connection.home.timezone))
    except Malformed:
        return None
