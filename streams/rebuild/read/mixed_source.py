"""Old history from an archive, the rest from Kafka, joined at the archive's last record: no gap, no repeat."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from crm.adapters.archive.container import encode
from crm.adapters.kafka.point_reads import Places
from crm.errors import Broken, NotYet
from streams.rebuild.read import archive_source
from streams.rebuild.read.archive_source import ArchiveSource
from streams.rebuild.read.kafka_source import Begin, KafkaSource
from streams.rebuild.read.source import Slab


class MixedSource:
    """All of these partitions, from position 0 to before `until`: of what both have, the archive's is taken."""

    def __init__(self, folder: Path, bootstrap: str, topic: str, until: Mapping[int, int]) -> None:
        self.folder, self.bootstrap, self.topic, self.until = folder, bootstrap, topic, until
        self.joints = {p: archive_source.ends(folder).get(p, Begin()) for p in until}

    async def slabs(self) -> AsyncIterator[Slab]:
        await self.same()
        begins = dict.fromkeys(self.until, 0)
        archived = {p: min(end, self.joints[p].position) for p, end in self.until.items()}
        async for slab in ArchiveSource(self.folder, begins, archived).slabs():
            yield slab
        async with KafkaSource(self.bootstrap, self.topic, self.joints, self.until) as kafka:
            async for slab in kafka.slabs():
                yield slab

    async def same(self) -> None:
        """Raises Broken when this Kafka's history is not the archive's. What Kafka no longer has is not compared."""
        files = archive_source.journal_files(self.folder)
        joined = {p: files[p][-1] for p, end in self.until.items() if p in files and self.joints[p].position < end}
        if not joined:  # nothing is taken from Kafka; and a consumer that fetched nothing may not stop
            return
        async with Places(self.bootstrap) as places:
            for partition, last in joined.items():
                try:
                    record = await places.record(self.topic, partition, last.last)
                except NotYet:
                    continue
                if hashlib.sha256(encode(record)).hexdigest() != last.last_record:
                    raise Broken(
                        f"{self.topic}/{partition}: Kafka's record at offset {last.last} is not the archive's: this is "
                        "the archive of another Kafka. Nothing was written. Name the archive of this one."
                    )
