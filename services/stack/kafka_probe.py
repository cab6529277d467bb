"""A probe that asks Kafka for its cluster: an open port alone says little."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError


async def why_unreachable(bootstrap: str, cluster: str = "") -> str | None:
    """Returns what is wrong; None when Kafka answers and, if `cluster` is given, has that cluster id."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await client.start()
        found = await client.describe_cluster()
    except (KafkaError, OSError) as error:
        return f"Kafka does not answer at {bootstrap}: {error}"
    finally:
        await client.close()
    if cluster and found["cluster_id"] != cluster:
        return f"Another Kafka answers at {bootstrap}"
    return None if found["brokers"] else f"Kafka at {bootstrap} has no broker yet"
