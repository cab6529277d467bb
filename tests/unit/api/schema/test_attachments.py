"""A file has its state with it: stored, or why not."""

import asyncio
import hashlib
from typing import Any

import pytest
import strawberry
from obstore.store import MemoryStore
from strawberry.schema.config import StrawberryConfig

from api.schema.attachments import AWAY, NO_REFERENCE, NO_STORE, NOT_YET
from api.schema.attachments import Attachment as AttachmentType
from api.schema.scalars import SCALARS
from crm.adapters.attachment_store import AttachmentStore
from crm.attachments import StoredLink
from crm.scalars import Id
from crm.shared import Attachment

HERE, THERE = Id("00000000-0000-4000-8000-00000000000a"), Id("00000000-0000-4000-8000-00000000000b")
PNG = b"\x89PNG\r\n\x1a\n"


class Counted(AttachmentStore):
    """Counts what it is lookups; `away`: it cannot answer."""

    def __init__(self, away: bool = False) -> None:
        super().__init__(MemoryStore())
        self.lookups, self.away = list[tuple[str, str]](), away

    async def link(self, workspace: Id, ref: str) -> StoredLink | None:
        self.lookups.append((workspace, ref))
        if self.away:
            raise OSError("no route to the bucket")
        return await super().link(workspace, ref)


class Request:
    """What a resolver reads of a request."""

    def __init__(self, store: AttachmentStore | None, workspace: Id) -> None:
        self.attachments, self.links, self.workspace = store, dict[str, Any](), lambda: workspace


@strawberry.type
class Query:
    @strawberry.field
    def files(self) -> list[AttachmentType]:
        files: Any = [Attachment("photo", ref=ref) for ref in ("kept", "refused", "kept", "new", "")]
        return files  # type: ignore[no-any-return]  # rows are of the contract's class


def states(store: Counted | None, workspace: Id = HERE) -> list[tuple[bool, str]]:
    async def run() -> list[tuple[bool, str]]:
        if store:
            await store.keep(HERE, PNG, StoredLink("kept", hashlib.sha256(PNG).hexdigest(), "image/png", len(PNG)))
            await store.settle(HERE, StoredLink("refused", reason="api.telegram.org answered 400."))
        schema = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
        context: Any = Request(store, workspace)
        found = await schema.execute("{ files { stored reason } }", context_value=context)
        assert found.errors is None and found.data
        return [(file["stored"], file["reason"]) for file in found.data["files"]]

    return asyncio.run(run())


def test_it_is_stored_or_there_is_a_reason() -> None:
    store = Counted()
    refused, none = (False, "api.telegram.org answered 400."), (False, NO_REFERENCE)
    assert states(store) == [(True, ""), refused, (True, ""), (False, NOT_YET), none]
    assert sorted(store.lookups) == [(HERE, "kept"), (HERE, "new"), (HERE, "refused")]


def test_another_workspace_does_not_hear_of_it() -> None:
    assert states(Counted(), THERE)[:2] == [(False, NOT_YET)] * 2


@pytest.mark.parametrize(("store", "reason"), [(None, NO_STORE), (Counted(away=True), AWAY)])
def test_messages_are_read_without_a_store(store: Counted | None, reason: str) -> None:
    assert states(store)[0] == (False, reason)
