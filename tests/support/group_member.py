"""Joins the group COUNTED_TOPIC with another assignor than Faust's, until it is killed."""

import asyncio
import os

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor


async def main(topic: str) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"],
        group_id=topic,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=6_000,  # after its death the group takes another assignor
        heartbeat_interval_ms=1_000,
    )
    await consumer.start()
    await consumer.getone()
    print("it holds the group", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(os.environ["COUNTED_TOPIC"]))
