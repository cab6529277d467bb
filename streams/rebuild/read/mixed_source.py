"""Reads old history from an archive and the rest from Kafka, joined at the archive's last record without a gap."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from crm.adapters.archive.container import encode
from crm.adapters.kafka.reading import RecordReader
from crm.errors import Broken, NotYet
from streams.rebuild.read import archive_source
from streams.rebuild.read.archive_source import ArchiveSource
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition
from streams.rebuild.read.source import Chunk


class MixedSource:
    """Reads these partitions from position 0 to before `until`. Prefers the archive for what both hold."""

    def __init__(self, folder: Path, bootstrap: str, topic: str, until: Mapping[int, int]) -> None:
        self.folder, self.bootstrap, self.topic, self.until = folder, bootstrap, topic, until
        self.boundaries = {p: archive_source.ends(folder).get(p, ReadPosition()) for p in until}

    async def chunks(self) -> AsyncIterator[Chunk]:
        await self.require_same_history()
        begins = dict.fromkeys(self.until, 0)
        archived = {p: min(end, self.boundaries[p].position) for p, end in self.until.items()}
        async for chunk in ArchiveSource(self.folder, begins, archived).chunks():
            yield chunk
        async with KafkaSource(self.bootstrap, self.topic, self.boundaries, self.until) as kafka:
            async for chunk in kafka.chunks():
                yield chunk

    async def require_same_history(self) -> None:
        """Raises Broken if Kafka's record at the boundary is not the archive's. Skips what Kafka no longer holds."""
        files = archive_source.journal_files(self.folder)
        joined = {p: files[p][-1] for p, end in self.until.items() if p in files and self.boundaries[p].position < end}
        if not joined:  # nothing is read from Kafka; and a consumer that fetched nothing may fail to stop
            return
        async with RecordReader(self.bootstrap) as places:
            for partition, last in joined.items():
                try:
                    record = await places.record(self.topic, partition, last.last)
                except NotYet:
                    continue
                if hashlib.sha256(encode(record)).hexdigest() != last.last_record:
                    raise Broken(
                        f"{self.topic}/{partition}: Kafka's record at offset {last.last} is not the archive's: this is "
                        "the archive of another Kafka. Nothing was written. Use the archive of this Kafka."
                    )
