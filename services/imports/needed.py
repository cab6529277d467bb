"""Whether a file waits to be imported or something else for the role imports, before that runs."""

import asyncio

from crm.adapters.export_store import ExportStore
from crm.adapters.import_store import ImportStore
from crm.adapters.trial_store import TrialStore

LOOK_SECONDS = 0.5


async def until_requested(where: str, schedule: str = "") -> None:
    """Returns once there is something to do in the place of files; at once where exports are on a schedule."""
    if schedule:
        return
    if not where:
        await asyncio.Event().wait()
    store = ImportStore.open(where)
    others = ExportStore(store.store), TrialStore(store.store)
    while not await store.waiting() and not await store.arrived() and not await any_waits(others):
        await asyncio.sleep(LOOK_SECONDS)


async def any_waits(stores: tuple[ExportStore, TrialStore]) -> bool:
    return any([await store.waiting() for store in stores])
