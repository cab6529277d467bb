"""Whether a Kafka really answers."""

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError


async def unreachable(bootstrap: str) -> str | None:
    """Asks for the cluster's metadata: an open port alone does not mean that a broker serves."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await client.bootstrap()
        return None if client.cluster.brokers() else f"Kafka at {bootstrap} has no broker yet"
    except (KafkaError, OSError) as error:
        return f"Kafka does not answer at {bootstrap}: {error}"
    finally:
        await client.close()
