"""Where exports are kept that the API was asked for, in the place for files of imports.

exports/WORKSPACE/ID/request   JSON of crm.exports.Request: written by the API
exports/WORKSPACE/ID/status    JSON of crm.exports.Status: written by the role
exports/WORKSPACE/ID/file      what was exported, for a day
exporting/WORKSPACE/ID         there while the role has something to do
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

from msgspec import json

from crm.adapters.attachment_store import AttachmentStore
from crm.exports import KEPT, Request, Status
from crm.scalars import Id, Micros


class ExportStore:
    """Exports of all workspaces."""

    def __init__(self, store: Any) -> None:
        self.store = store

    @classmethod
    def open(cls, where: str) -> Self:
        return cls(AttachmentStore.open(where).store)

    async def ask(self, request: Request) -> None:
        await self.store.put_async(f"{folder(request.workspace, request.id)}/request", json.encode(request))
        await self.store.put_async(f"exporting/{request.workspace}/{request.id}", b"")

    async def waiting(self) -> list[Request]:
        """Returns what the role has to do, the oldest first."""
        found = [one async for batch in self.store.list("exporting") for one in batch]
        ids = [one["path"].split("/")[1:] for one in sorted(found, key=lambda one: one["last_modified"])]
        requests = [await self.request(Id(workspace), Id(id)) for workspace, id in ids]
        return [request for request in requests if request]

    async def settle(self, request: Request, status: Status) -> None:
        await self.store.put_async(f"{folder(request.workspace, request.id)}/status", json.encode(status))
        with contextlib.suppress(FileNotFoundError):
            await self.store.delete_async(f"exporting/{request.workspace}/{request.id}")

    async def request(self, workspace: Id, id: Id) -> Request | None:
        found = await self._get(f"{folder(workspace, id)}/request")
        return None if found is None else json.decode(found, type=Request)

    async def status(self, workspace: Id, id: Id) -> Status:
        found = await self._get(f"{folder(workspace, id)}/status")
        return Status() if found is None else json.decode(found, type=Status)

    async def content(self, workspace: Id, id: Id) -> tuple[int, AsyncIterator[bytes]] | None:
        """Returns how large the file is, and its bytes; None when it is no longer there."""
        try:
            found = await self.store.get_async(f"{folder(workspace, id)}/file")
        except FileNotFoundError:
            return None
        return found.meta["size"], (bytes(part) async for part in found.stream())

    async def forget_old(self, at: Micros) -> None:
        """Removes what was exported more than a day ago."""
        old = [
            one["path"]
            async for batch in self.store.list("exports")
            for one in batch
            if one["last_modified"].timestamp() * 1e6 < at - KEPT
        ]
        for path in old:
            with contextlib.suppress(FileNotFoundError):
                await self.store.delete_async(path)

    async def _get(self, path: str) -> bytes | None:
        try:
            return bytes(await (await self.store.get_async(path)).bytes_async())
        except FileNotFoundError:
            return None


def folder(workspace: Id, id: Id) -> str:
    return f"exports/{workspace}/{id}"
