"""What came from some sources: the streams that their events are in, found in the history without decoding it."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from crm.adapters.postgres.history import CONSUMER
from crm.contract.codec import FRAME
from crm.scalars import Id

UUID = 37  # bytes of one in Avro: its length and its digits
BEGIN = FRAME.size + 3 * UUID + 1  # where, after id, workspace and stream, the times and the source of an event are
SPAN = 2 * 10 + 2 + 36
STREAMS = f"""
SELECT DISTINCT stream::text FROM core.history WHERE workspace = %s AND stream > %s::uuid AND EXISTS (
  SELECT FROM unnest(%s::bytea[]) AS s (source) WHERE position(s.source IN substr(event, {BEGIN}, {SPAN})) > 0
) ORDER BY stream::text LIMIT %s"""
HEADS = "SELECT partition, next - 1 FROM core.journal_head"
BEHIND = """
SELECT count(*) FROM unnest(%s::int[], %s::bigint[]) AS h (partition, position)
LEFT JOIN core.checkpoint AS c ON c.consumer = %s AND c.partition = h.partition
WHERE coalesce(c.position, -1) < h.position"""
NIL = "00000000-0000-0000-0000-000000000000"


async def streams_of(
    conn: AsyncConnection[Any], workspace: Id, sources: Sequence[Id], after: str, limit: int
) -> list[Id]:
    """Returns the streams behind `after`, in order, that have an event of one of the sources."""
    given = [workspace, after or NIL, [source.encode() for source in sources], limit]
    return [Id(stream) for (stream,) in await (await conn.execute(STREAMS, given)).fetchall()]


async def heads(conn: AsyncConnection[Any]) -> dict[int, int]:
    """Returns the last position that is decided, by partition of the journal."""
    return dict(await (await conn.execute(HEADS)).fetchall())


async def behind(conn: AsyncConnection[Any], heads: Mapping[int, int]) -> int:
    """Returns of how many partitions the history has not all up to these positions."""
    given = [[*heads], [*heads.values()], CONSUMER]
    ((count,),) = await (await conn.execute(BEHIND, given)).fetchall()
    return int(count)
