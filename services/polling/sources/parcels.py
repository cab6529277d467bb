"""The tracking numbers of the parcels that a delivery service is asked about: those that are not over."""

from collections.abc import Sequence

from psycopg import AsyncConnection

from crm.delivery import Connection

# A parcel that has not moved for so long was lost, or its number mistyped. The newest first, so that a limit of the
# service cuts off the oldest.
OPEN = """SELECT t.tracking_number FROM read.parcel AS t
WHERE t.workspace = %s AND t.service = %s AND t.tracked AND t.touched_at > now() - interval '60 days'
ORDER BY t.touched_at DESC, t.parcel_id LIMIT 10000"""


async def subjects(connection: Connection, database_url: str) -> Sequence[str]:
    """Returns the numbers, at most 10,000."""
    async with await AsyncConnection.connect(database_url) as database:
        found = await database.execute(OPEN, (connection.workspace, connection.connector))
        return [number for (number,) in await found.fetchall()]
