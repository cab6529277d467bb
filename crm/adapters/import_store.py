"""Where files of imports are kept: each content once a workspace under its SHA-256.

WORKSPACE/content/SHA256           the bytes of a file
WORKSPACE/imports/ID/request       JSON of crm.imports.Request: written by the API
WORKSPACE/imports/ID/status        JSON of crm.imports.Status: written by the role
WORKSPACE/imports/ID/failed        the rows that were not taken, with the reason
WORKSPACE/imports/columns/DIGEST   JSON of crm.imports.Options: what was said of a file with this header
inbox/WORKSPACE/NAME               a file that somebody put there to be imported
failed/WORKSPACE/NAME              such a file that was not imported, or its rows that were refused
importing/WORKSPACE/ID             there while the role has something to do
"""

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Self

from msgspec import json
from obstore.exceptions import AlreadyExistsError

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.request_store import content, marked, remove
from crm.imports import Options, Request, Status
from crm.scalars import Id, Micros

WORKSPACE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ImportStore:
    """Files, requests and progress of the imports of all workspaces."""

    def __init__(self, store: Any) -> None:
        self.store = store

    @classmethod
    def open(cls, where: str) -> Self:
        """Opens a folder or a bucket, as `AttachmentStore.open` does."""
        return cls(AttachmentStore.open(where).store)

    async def keep(self, workspace: Id, sha256: str, file: Path | bytes) -> None:
        with contextlib.suppress(AlreadyExistsError):
            await self.store.put_async(f"{workspace}/content/{sha256}", file, mode="create")

    async def fetch(self, workspace: Id, sha256: str, into: Path) -> None:
        """Writes a file's bytes. Raises FileNotFoundError."""
        await self.download(f"{workspace}/content/{sha256}", into)

    async def arrived(self) -> list[tuple[Id, str, Micros, int]]:
        """Returns workspace, name, last change and bytes of the files in the watched folder."""
        found = [one async for batch in self.store.list("inbox") for one in batch]
        return [
            (Id(parts[1]), parts[2], Micros(int(one["last_modified"].timestamp() * 1e6)), one["size"])
            for one in found
            if len(parts := one["path"].split("/")) == 3 and WORKSPACE.fullmatch(parts[1])
        ]

    async def take(self, workspace: Id, name: str, into: Path) -> None:
        """Writes the bytes of a file in the watched folder."""
        await self.download(f"inbox/{workspace}/{name}", into)

    async def taken(self, workspace: Id, name: str) -> None:
        """Removes a file from the watched folder: it is kept by its content."""
        await self.store.delete_async(f"inbox/{workspace}/{name}")

    async def turn_away(self, workspace: Id, name: str) -> None:
        """Moves a file of the watched folder to where what was not imported is, unread."""
        await self.store.rename_async(f"inbox/{workspace}/{name}", f"failed/{workspace}/{name}")

    async def leave(self, workspace: Id, name: str, content: Path) -> None:
        """Puts what was not imported of the watched folder where somebody finds it."""
        await self.store.put_async(f"failed/{workspace}/{name}", content)

    async def download(self, path: str, into: Path) -> None:
        found = await self.store.get_async(path)
        with into.open("wb") as file:
            async for part in found.stream():
                file.write(part)

    async def request(self, workspace: Id, id: Id) -> Request | None:
        found = await content(self.store, f"{workspace}/imports/{id}/request")
        return None if found is None else json.decode(found, type=Request)

    async def ask(self, request: Request) -> None:
        """Stores what is asked for, and then that the role has something to do."""
        await self.store.put_async(f"{request.workspace}/imports/{request.id}/request", json.encode(request))
        await self.store.put_async(f"importing/{request.workspace}/{request.id}", b"")

    async def settle(self, request: Request) -> None:
        """Has the role do nothing more about a request, unless another one came meanwhile."""
        await remove(self.store, f"importing/{request.workspace}/{request.id}")
        newest = await self.request(request.workspace, request.id)
        if newest and newest.number != request.number:
            await self.store.put_async(f"importing/{request.workspace}/{request.id}", b"")

    async def waiting(self) -> list[tuple[Id, Id]]:
        """Returns workspace and id of the imports that the role has something to do for, the oldest first."""
        return await marked(self.store, "importing")

    async def status(self, workspace: Id, id: Id) -> Status | None:
        found = await content(self.store, f"{workspace}/imports/{id}/status")
        return None if found is None else json.decode(found, type=Status)

    async def newest(self, workspace: Id, most: int) -> list[Request]:
        """Returns what was asked for last, the newest first."""
        listed = self.store.list(f"{workspace}/imports")
        found = [one async for batch in listed for one in batch if one["path"].endswith("/request")]
        newest = sorted(found, key=lambda one: one["last_modified"], reverse=True)[:most]
        read = [await content(self.store, one["path"]) for one in newest]
        return [json.decode(one, type=Request) for one in read if one is not None]

    async def report(self, workspace: Id, status: Status) -> None:
        await self.store.put_async(f"{workspace}/imports/{status.id}/status", json.encode(status))

    async def keep_failed(self, workspace: Id, id: Id, rows: Path) -> None:
        await self.store.put_async(f"{workspace}/imports/{id}/failed", rows)

    async def failed(self, workspace: Id, id: Id) -> AsyncIterator[bytes] | None:
        """Returns the file of rows that were not taken; None when there is none."""
        try:
            found = await self.store.get_async(f"{workspace}/imports/{id}/failed")
        except FileNotFoundError:
            return None
        return (bytes(part) async for part in found.stream())

    async def remembered(self, workspace: Id, header: Sequence[str]) -> Options | None:
        """Returns what a person said of the last file with these columns."""
        found = await content(self.store, _shape(workspace, header))
        return None if found is None else json.decode(found, type=Options)

    async def remember(self, workspace: Id, header: Sequence[str], options: Options) -> None:
        await self.store.put_async(_shape(workspace, header), json.encode(options))


def _shape(workspace: Id, header: Sequence[str]) -> str:
    return f"{workspace}/imports/columns/{hashlib.sha256(json.encode(list(header))).hexdigest()}"
