"""Whether anything is to be polled: cheap to ask, for the role itself and for who starts it."""

import asyncio

from crm.activation.activate import can_activate
from crm.adapters.kafka.directory import Access
from crm.connector_catalogue import catalogue
from crm.delivery import Connection
from crm.secret_keys import SecretKeys

LOOK_SECONDS = 2.0  # between two looks at what is connected


def is_polled(connection: Connection) -> bool:
    """Whether its vendor is asked on a clock: for what is new, or whether the webhook is still set."""
    entry = catalogue().get(connection.connector)
    if entry is None or not connection.enabled:
        return False
    values = {**connection.settings, "secret": connection.secret}
    return entry.polls(connection.secret, connection.settings) or can_activate(entry.activation, values)


async def until_polled(access: Access) -> None:
    """Returns once there is a connection to poll. `access` follows crm.connections."""
    while not any(map(is_polled, list(access.connections.values()))):
        await asyncio.sleep(LOOK_SECONDS)


async def until_needed(bootstrap: str, keys: SecretKeys) -> None:
    """`until_polled` for who does not follow the connections."""
    access = await Access(keys).start(bootstrap)
    try:
        await until_polled(access)
    finally:
        await access.stop()
