"""Where trials of other rules are kept that the API was asked for, in the place for files of imports.

trials/WORKSPACE/ID/request   JSON of crm.whatif.Request: written by the API
trials/WORKSPACE/ID/status    JSON of crm.whatif.Status: written by the role
trying/WORKSPACE/ID           there while the role has something to do
"""

import contextlib
from typing import Any

from msgspec import json

from crm.scalars import Id
from crm.whatif import Request, Status


class TrialStore:
    """Trials of all workspaces."""

    def __init__(self, store: Any) -> None:
        self.store = store

    async def ask(self, request: Request) -> None:
        await self.store.put_async(f"{folder(request.workspace, request.id)}/request", json.encode(request))
        await self.store.put_async(waiting(request.workspace, request.id), b"")

    async def waiting(self) -> list[Request]:
        """Returns what the role has to do, the oldest first."""
        found = [one async for batch in self.store.list("trying") for one in batch]
        ids = [one["path"].split("/")[1:] for one in sorted(found, key=lambda one: one["last_modified"])]
        requests = [await self.request(Id(workspace), Id(id)) for workspace, id in ids]
        return [request for request in requests if request]

    async def of(self, workspace: Id) -> list[Request]:
        """Returns the trials of a workspace, the newest first."""
        paths = [one["path"] async for batch in self.store.list(f"trials/{workspace}") for one in batch]
        ids = [path.split("/")[2] for path in paths if path.endswith("/request")]
        found = [await self.request(workspace, Id(id)) for id in ids]
        return sorted((one for one in found if one), key=lambda one: -one.requested_at)

    async def request(self, workspace: Id, id: Id) -> Request | None:
        found = await self._get(f"{folder(workspace, id)}/request")
        return None if found is None else json.decode(found, type=Request)

    async def status(self, workspace: Id, id: Id) -> Status:
        found = await self._get(f"{folder(workspace, id)}/status")
        return Status() if found is None else json.decode(found, type=Status)

    async def report(self, request: Request, status: Status) -> None:
        await self.store.put_async(f"{folder(request.workspace, request.id)}/status", json.encode(status))

    async def settle(self, request: Request, status: Status) -> None:
        await self.report(request, status)
        await self._remove(waiting(request.workspace, request.id))

    async def forget(self, workspace: Id, id: Id) -> None:
        """Removes a trial. One that is being run is stopped, as it is no longer asked for."""
        for path in (f"{folder(workspace, id)}/request", f"{folder(workspace, id)}/status", waiting(workspace, id)):
            await self._remove(path)

    async def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await self.store.delete_async(path)

    async def _get(self, path: str) -> bytes | None:
        try:
            return bytes(await (await self.store.get_async(path)).bytes_async())
        except FileNotFoundError:
            return None


def folder(workspace: Id, id: Id) -> str:
    return f"trials/{workspace}/{id}"


def waiting(workspace: Id, id: Id) -> str:
    return f"trying/{workspace}/{id}"
