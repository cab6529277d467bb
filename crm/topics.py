"""Every Kafka topic, from the one file that declares them: schemas/avro/topics.toml."""

import tomllib
from dataclasses import dataclass
from zlib import crc32

from crm.contract.generate import SCHEMAS


@dataclass(frozen=True)
class Topic:
    """One topic; `config` is Kafka's own topic configuration."""

    name: str
    about: str
    partitions: int
    writer: str
    config: dict[str, str]


TOPICS = {key: Topic(**value) for key, value in tomllib.loads((SCHEMAS / "topics.toml").read_text()).items()}
JOURNAL = TOPICS["journal"]
COMMITS = TOPICS["commits"]
CONNECTIONS = TOPICS["connections"]
ACTIVITY = TOPICS["activity"]
CURSORS = TOPICS["cursors"]
QUARANTINE = TOPICS["quarantine"]
INTAKE = {family: TOPICS[family] for family in ("forms", "banking", "calls", "chats", "parcels", "facts")}
DECIDED = (*INTAKE.values(), QUARANTINE)  # what decide reads


def journal_partition(stream: str) -> int:
    """Where a stream lies: CRC-32 of the key, as librdkafka's `consistent` partitioner does, so any client finds it."""
    return crc32(stream.encode()) % JOURNAL.partitions
