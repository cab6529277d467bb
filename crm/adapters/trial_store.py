"""Where trials of other rules are kept that the API was asked for: see request_store.py."""

from crm.adapters.request_store import RequestStore, remove
from crm.scalars import Id
from crm.whatif import Request, Status


class TrialStore(RequestStore[Request, Status]):
    """Trials of all workspaces."""

    kept, todo = "trials", "trying"
    request_type, status_type = Request, Status

    async def of(self, workspace: Id) -> list[Request]:
        """Returns the trials of a workspace, the newest first."""
        paths = [one["path"] async for batch in self.store.list(f"{self.kept}/{workspace}") for one in batch]
        ids = [path.split("/")[2] for path in paths if path.endswith("/request")]
        found = [await self.request(workspace, Id(id)) for id in ids]
        return sorted((one for one in found if one), key=lambda one: -one.requested_at)

    async def forget(self, workspace: Id, id: Id) -> None:
        """Removes a trial. One that is being run is stopped, as it is no longer asked for."""
        folder = self.folder(workspace, id)
        for path in (f"{folder}/request", f"{folder}/status", f"{self.todo}/{workspace}/{id}"):
            await remove(self.store, path)
