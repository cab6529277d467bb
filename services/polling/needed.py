"""Whether anything is to be polled: cheap to ask, for the role itself and for who starts it."""

import asyncio

from crm.adapters.kafka.directory import Access
from crm.connector_catalogue import catalogue
from crm.delivery import Connection
from crm.secret_keys import SecretKeys

LOOK_SECONDS = 2.0  # between two looks at what is connected


def is_polled(connection: Connection) -> bool:
    entry = catalogue().get(connection.connector)
    return bool(entry and connection.enabled and entry.polls(connection.secret, connection.settings))


async def until_polled(access: Access) -> None:
    """Returns once there is a connection to poll. `access` follows crm.connections."""
    while not any(map(is_polled, list(access.connections.values()))):
        await asyncio.sleep(LOOK_SECONDS)


async def until_needed(bootstrap: str, keys: SecretKeys) -> None:
    """`until_polled` for who does not follow the connections himself."""
    access = await Access(keys).start(bootstrap)
    try:
        await until_polled(access)
    finally:
        await access.stop()
