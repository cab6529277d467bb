"""A probe that asks Kafka for its cluster: an open port alone says little."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from crm.adapters.kafka.address import client_options, servers_of


async def why_unreachable(bootstrap: str, cluster: str = "") -> str | None:
    """Returns what is wrong; None when Kafka answers and, if `cluster` is given, has that cluster id."""
    client = AIOKafkaAdminClient(**client_options(bootstrap), request_timeout_ms=3000)
    try:
        await client.start()
        found = await client.describe_cluster()
    except (KafkaError, OSError) as error:
        return f"Kafka does not answer at {servers_of(bootstrap)}: {error}"
    finally:
        await client.close()
    if cluster and found["cluster_id"] != cluster:
        return f"Another Kafka answers at {servers_of(bootstrap)}"
    return None if found["brokers"] else f"Kafka at {servers_of(bootstrap)} has no broker yet"
