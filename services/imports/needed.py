"""Whether a file waits to be imported, before the role that imports it runs."""

import asyncio

from crm.adapters.import_store import ImportStore

LOOK_SECONDS = 0.5


async def until_requested(where: str) -> None:
    """Returns once there is something to do in the place of files."""
    if not where:
        await asyncio.Event().wait()
    store = ImportStore.open(where)
    while not await store.waiting() and not await store.arrived():
        await asyncio.sleep(LOOK_SECONDS)
