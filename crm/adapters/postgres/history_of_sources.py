"""What came from some sources: the streams that their events are in, found in the history without decoding it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from crm.adapters.postgres.history import CONSUMER
from crm.contract.codec import FRAME
from crm.scalars import Id

TEXT = 37  # bytes of an id in Avro: its length and its digits
BEGIN = FRAME.size + 3 * TEXT + 1  # where, after id, workspace and stream, the times and the source of an event are
SPAN = 2 * 10 + 2 + 36
STREAMS = f"""
SELECT DISTINCT stream FROM core.history WHERE workspace = %s AND EXISTS (
  SELECT FROM unnest(%b::bytea[]) AS s (source) WHERE position(s.source IN substr(event, {BEGIN}, {SPAN})) > 0
) ORDER BY stream"""
HEADS = "SELECT partition, next - 1 FROM core.journal_head"
BEHIND = """
SELECT count(*) FROM unnest(%s::int[], %s::bigint[]) AS h (partition, position)
LEFT JOIN core.checkpoint AS c ON c.consumer = %s AND c.partition = h.partition
WHERE coalesce(c.position, -1) < h.position"""
PAGE = 20_000  # ids that are fetched at a time
ID = 16  # bytes of one


class Streams:
    """Ids in their order, 16 bytes each: a million takes 16 MB."""

    def __init__(self) -> None:
        self.ids = bytearray()

    def __len__(self) -> int:
        return len(self.ids) // ID

    def pages(self, size: int) -> Iterator[list[Id]]:
        for begin in range(0, len(self.ids), size * ID):
            page = self.ids[begin : begin + size * ID]
            yield [Id(str(UUID(bytes=bytes(page[at : at + ID])))) for at in range(0, len(page), ID)]


async def streams_of(conn: AsyncConnection[Any], workspace: Id, sources: Sequence[Id]) -> Streams:
    """Returns the streams that have an event of one of the sources. Reads the history of the workspace once."""
    found = Streams()
    async with conn.transaction(), conn.cursor(name="streams") as cursor:
        await cursor.execute(STREAMS.encode(), [workspace, [source.encode() for source in sources]])
        while rows := await cursor.fetchmany(PAGE):
            found.ids += b"".join(stream.bytes for (stream,) in rows)
    return found


async def heads(conn: AsyncConnection[Any]) -> dict[int, int]:
    """Returns the last position that is decided, by partition of the journal."""
    return dict(await (await conn.execute(HEADS)).fetchall())


async def behind(conn: AsyncConnection[Any], heads: Mapping[int, int]) -> int:
    """Returns of how many partitions the history has not all up to these positions."""
    given = [[*heads], [*heads.values()], CONSUMER]
    ((count,),) = await (await conn.execute(BEHIND, given)).fetchall()
    return int(count)
