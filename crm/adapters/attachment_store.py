"""Where files are stored: a folder or a bucket, each content once a workspace under its SHA-256.

WORKSPACE/content/SHA256     the bytes
WORKSPACE/links/DIGEST       JSON of crm.attachments.StoredLink; the digest is the SHA-256 of the reference
waiting/WORKSPACE/DIGEST     JSON of crm.attachments.Wanted: to be fetched again
journal-2                    JSON: how far the journal was read, by partition (`journal`: by a release that
                             fetched no ids; what it left is fetched now)
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from msgspec import json
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, from_url

from crm.attachments import StoredLink, Wanted
from crm.scalars import Id


class AttachmentStore:
    """Files of all workspaces. Writing the same again changes nothing."""

    def __init__(self, store: Any) -> None:
        self.store = store

    @classmethod
    def open(cls, where: str) -> Self:
        """Opens a folder, which is made, or a URL such as s3://bucket/path, whose keys are in the environment."""
        if "://" in where and not where.startswith("file://"):
            return cls(from_url(where))
        return cls(LocalStore(Path(where.removeprefix("file://")).absolute(), mkdir=True))

    async def link(self, workspace: Id, ref: str) -> StoredLink | None:
        """Returns what became of a reference; None while nobody has tried to fetch it."""
        found = await self._get(_link(workspace, ref))
        return None if found is None else json.decode(found, type=StoredLink)

    async def content(self, workspace: Id, sha256: str) -> bytes | None:
        return await self._get(f"{workspace}/content/{sha256}")

    async def keep(self, workspace: Id, content: bytes, link: StoredLink) -> None:
        """Stores a file and then its link, so that a link never leads to nothing."""
        with contextlib.suppress(AlreadyExistsError):  # the same content of another message
            await self.store.put_async(f"{workspace}/content/{link.sha256}", content, mode="create")
        await self.settle(workspace, link)

    async def settle(self, workspace: Id, link: StoredLink) -> None:
        """Stores what became of a reference: it is not tried again."""
        await self.store.put_async(_link(workspace, link.ref), json.encode(link))
        await self._forget(_waiting(workspace, link.ref))

    async def wait(self, waiting: Wanted) -> None:
        await self.store.put_async(_waiting(waiting.workspace, waiting.attachment.ref), json.encode(waiting))

    async def waiting(self) -> AsyncIterator[Wanted]:
        async for batch in self.store.list("waiting"):
            for one in batch:
                if found := await self._get(one["path"]):
                    yield json.decode(found, type=Wanted)

    async def is_waiting(self, workspace: Id, ref: str) -> bool:
        return await self._get(_waiting(workspace, ref)) is not None

    async def checkpoint(self) -> dict[int, int]:
        """Returns the offset at which each partition of the journal is read on."""
        found = await self._get("journal-2")
        return {} if found is None else json.decode(found, type=dict[int, int])

    async def set_checkpoint(self, offsets: dict[int, int]) -> None:
        await self.store.put_async("journal-2", json.encode(offsets))

    async def _get(self, path: str) -> bytes | None:
        try:
            return bytes(await (await self.store.get_async(path)).bytes_async())
        except FileNotFoundError:
            return None

    async def _forget(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await self.store.delete_async(path)


def _link(workspace: Id, ref: str) -> str:
    return f"{workspace}/links/{_digest(ref)}"


def _waiting(workspace: Id, ref: str) -> str:
    return f"waiting/{workspace}/{_digest(ref)}"


def _digest(ref: str) -> str:
    return hashlib.sha256(ref.encode("utf-8", "backslashreplace")).hexdigest()
