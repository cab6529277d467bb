"""A file of a message, a form or a call, and what became of it, read where files are stored when it is asked for."""

import asyncio
from typing import Any

import strawberry
import structlog

from api.context import Info
from api.schema.scalars import Long
from crm.adapters.attachment_store import AttachmentStore
from crm.attachments import StoredLink
from crm.scalars import Id

NO_STORE = "Files are not stored here: set CRM_ATTACHMENTS and run the role attachments. The reference itself is kept."
NOT_YET = "It has not been fetched yet. Try again later; its reference is kept."
AWAY = "It cannot be read now where files are stored. Try again later."
NO_REFERENCE = "It came without a reference."
log = structlog.get_logger()


async def link_of(ref: str, info: Info) -> StoredLink | None:
    """Returns what became of a reference, looked up once a request."""
    store, lookups = info.context.attachments, info.context.links
    if not store or not ref:
        return None
    if ref not in lookups:
        lookups[ref] = asyncio.ensure_future(store.link(Id(info.context.workspace()), ref))
    try:
        return await lookups[ref]
    except Exception as error:  # a message must not be missing because its files are away
        log.warning("what became of a file cannot be read", error=repr(error))
        return StoredLink(ref, reason=AWAY)


async def stored(root: Any, info: Info) -> bool:
    link = await link_of(root.ref, info)
    return bool(link and link.sha256)


async def reason(root: Any, info: Info) -> str:
    link = await link_of(root.ref, info)
    if link:
        return link.reason
    return why_unknown(info.context.attachments, root.ref)


def why_unknown(store: AttachmentStore | None, ref: str) -> str:
    """Returns why nothing is known of a reference."""
    return NO_STORE if store is None else NOT_YET if ref else NO_REFERENCE


@strawberry.type(description="A file that came with a message or a form. GET /attachments?ref= gives what is stored.")
class Attachment:
    kind: str = strawberry.field(description="Kind of file, such as photo, voice or document.")
    name: str = strawberry.field(description="File name; empty when it is unknown.")
    media_type: str = strawberry.field(description="Media type, such as image/jpeg; empty when it is unknown.")
    size: Long = strawberry.field(description="Size in bytes; 0 when it is unknown.")
    ref: str = strawberry.field(description="How to get the file: the vendor's file id, a URL or a digest.")
    stored: bool = strawberry.field(resolver=stored, description="It is stored, as of now.")
    reason: str = strawberry.field(resolver=reason, description="Why it is not stored, as of now; empty when it is.")
