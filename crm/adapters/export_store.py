"""Where exports are kept that the API was asked for: see request_store.py.

exports/WORKSPACE/ID/file   what was exported, for a day
"""

from collections.abc import AsyncIterator
from typing import Self

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.request_store import RequestStore, remove
from crm.exports import KEPT, Request, Status
from crm.scalars import Id, Micros


class ExportStore(RequestStore[Request, Status]):
    """Exports of all workspaces."""

    kept, todo = "exports", "exporting"
    request_type, status_type = Request, Status

    @classmethod
    def open(cls, where: str) -> Self:
        return cls(AttachmentStore.open(where).store)

    async def content(self, workspace: Id, id: Id) -> tuple[int, AsyncIterator[bytes]] | None:
        """Returns how large the file is, and its bytes; None when it is no longer there."""
        try:
            found = await self.store.get_async(f"{self.folder(workspace, id)}/file")
        except FileNotFoundError:
            return None
        return found.meta["size"], (bytes(part) async for part in found.stream())

    async def forget_old(self, at: Micros) -> None:
        """Removes what was exported more than a day ago."""
        old = [
            one["path"]
            async for batch in self.store.list(self.kept)
            for one in batch
            if one["last_modified"].timestamp() * 1e6 < at - KEPT
        ]
        for path in old:
            await remove(self.store, path)
