"""Whether a file waits to be imported, before the role that imports it runs."""

import asyncio

from crm.adapters.export_store import ExportStore
from crm.adapters.import_store import ImportStore

LOOK_SECONDS = 0.5


async def until_requested(where: str, schedule: str = "") -> None:
    """Returns once there is something to do in the place of files; at once where exports are on a schedule."""
    if schedule:
        return
    if not where:
        await asyncio.Event().wait()
    store = ImportStore.open(where)
    exports = ExportStore(store.store)
    while not await store.waiting() and not await store.arrived() and not await exports.waiting():
        await asyncio.sleep(LOOK_SECONDS)
