"""What the API asks a role for, in the place for files of imports, and what becomes of it.

kept/WORKSPACE/ID/request   JSON: written by the API alone
kept/WORKSPACE/ID/status    JSON: written by the role alone
todo/WORKSPACE/ID           there while the role has something to do
"""

from typing import Any, ClassVar, Generic, Protocol, TypeVar

from msgspec import json

from crm.scalars import Id


class OfWorkspace(Protocol):
    """A request of one workspace."""

    @property
    def id(self) -> Id: ...
    @property
    def workspace(self) -> Id: ...


R = TypeVar("R", bound=OfWorkspace)
S = TypeVar("S")


class RequestStore(Generic[R, S]):
    """Requests of all workspaces, each with its status. `kept`, `todo`: names of the two folders."""

    kept: ClassVar[str]
    todo: ClassVar[str]
    request_type: type[R]
    status_type: type[S]

    def __init__(self, store: Any) -> None:
        self.store = store

    def folder(self, workspace: Id, id: Id) -> str:
        return f"{self.kept}/{workspace}/{id}"

    async def ask(self, request: R) -> None:
        """Stores what is asked for, and then that the role has something to do."""
        await self.store.put_async(f"{self.folder(request.workspace, request.id)}/request", json.encode(request))
        await self.store.put_async(f"{self.todo}/{request.workspace}/{request.id}", b"")

    async def waiting(self) -> list[R]:
        """Returns what the role has to do, the oldest first."""
        requests = [await self.request(workspace, id) for workspace, id in await marked(self.store, self.todo)]
        return [request for request in requests if request]

    async def request(self, workspace: Id, id: Id) -> R | None:
        found = await content(self.store, f"{self.folder(workspace, id)}/request")
        return None if found is None else json.decode(found, type=self.request_type)

    async def status(self, workspace: Id, id: Id) -> S:
        found = await content(self.store, f"{self.folder(workspace, id)}/status")
        return self.status_type() if found is None else json.decode(found, type=self.status_type)

    async def report(self, request: R, status: S) -> None:
        await self.store.put_async(f"{self.folder(request.workspace, request.id)}/status", json.encode(status))

    async def settle(self, request: R, status: S) -> None:
        """Has the role do nothing more about a request."""
        await self.report(request, status)
        await remove(self.store, f"{self.todo}/{request.workspace}/{request.id}")


async def marked(store: Any, todo: str) -> list[tuple[Id, Id]]:
    """Returns workspace and id of what a role has to do, the oldest first. `todo`: the folder."""
    found = [one async for batch in store.list(todo) for one in batch]
    return [
        (Id(workspace), Id(id))
        for one in sorted(found, key=lambda one: one["last_modified"])
        for workspace, id in [one["path"].split("/")[1:]]
    ]


async def content(store: Any, path: str) -> bytes | None:
    """Returns None where there is nothing."""
    try:
        return bytes(await (await store.get_async(path)).bytes_async())
    except FileNotFoundError:
        return None


async def remove(store: Any, path: str) -> None:
    """Also where there is nothing."""
    try:
        await store.delete_async(path)
    except FileNotFoundError:
        return
