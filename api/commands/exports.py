"""exportStart and fileExport: a view of the workspace as a file, behind a link that expires. No event, no row."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import strawberry

from api.access import require
from api.commands.answers import UserError, user_error
from api.context import Info
from api.errors import ApiError, Unavailable
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.scalars import Long
from crm.adapters.export_store import ExportStore
from crm.commands import Code, Rejected
from crm.envelope import now
from crm.exports import PATH, Format, Link, Phase, Request, link_text
from crm.scalars import Id, Micros
from crm.secret_keys import NoSecretKey
from projections import PROJECTIONS

LONGEST = 10_000  # characters of a condition
MINUTES = 60
NO_STORE = "Nothing can be exported here: CRM_IMPORTS names no place for files. See docs/sql.md."
strawberry.enum(Format, name="ExportFormat", description="What an export is written as.")
strawberry.enum(Phase, name="ExportPhase", description="Where an export is.")


class NoExports(ApiError):
    """This server has no place for files."""

    code = "NOT_FOUND"


@strawberry.type(description="A view of the workspace as a file. It is kept for a day.")
class FileExport:
    id: strawberry.ID = strawberry.field(description="Unique id.")
    name: str = strawberry.field(description="Name of the file.")
    phase: Phase = strawberry.field(description="Where it is.")
    rows: Long = strawberry.field(description="How many rows it has.")
    message: str | None = strawberry.field(description="Why it failed, as text for people.")
    link: str | None = strawberry.field(
        description="Path at this server from which anybody who has it gets the file; null until it is done."
    )
    expires_at: datetime | None = strawberry.field(description="Until when the link can be used.")


@strawberry.type(description="Result of `exportStart`.")
class ExportStartPayload:
    file_export: FileExport | None = strawberry.field(description="The export; ask `fileExport` until it is done.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing is exported.")


def store_of(info: Info) -> tuple[ExportStore, Id]:
    """Raises Forbidden and NoExports."""
    token = info.context.token
    require(token, "read")
    if info.context.exports is None:
        raise NoExports(NO_STORE)
    return info.context.exports, Id(token.workspace)


async def shown(info: Info, store: ExportStore, request: Request) -> FileExport:
    status = await store.status(request.workspace, request.id)
    link = until = None
    if status.phase is Phase.DONE:
        ends = Micros(now() + MINUTES * 60_000_000)
        try:
            executor = info.context.executor
            if executor is None:
                raise Unavailable("This server is read-only, and makes no links.")
            link = PATH + link_text(Link(request.workspace, request.id, ends), executor.keys)
        except NoSecretKey as error:
            raise Unavailable(str(error)) from None
        until = datetime.fromtimestamp(ends / 1e6, UTC)
    return FileExport(
        id=strawberry.ID(request.id),
        name=request.name,
        phase=status.phase,
        rows=Long(status.rows),
        message=status.message or None,
        link=link,
        expires_at=until,
    )


async def start(_: Any, info: Info, what: str, where: str = "", format: Format = Format.CSV) -> dict[str, Any]:
    store, workspace = store_of(info)
    try:
        if what not in PROJECTIONS:
            why = f"There is no view {what!r}. The views are {', '.join(PROJECTIONS)}. Nothing is exported."
            raise Rejected("what", Code.NOT_FOUND, why)
        if len(where) > LONGEST:
            raise Rejected("where", Code.INVALID, f"It is longer than {LONGEST:,} characters. Nothing is exported.")
    except Rejected as refusal:
        return {"file_export": None, "user_errors": [user_error(refusal)]}
    request = Request(Id(str(uuid4())), workspace, what, where, format, now())
    await store.ask(request)
    return {"file_export": await shown(info, store, request), "user_errors": []}


async def file_export(_: Any, info: Info, id: str) -> FileExport | None:
    store, workspace = store_of(info)
    request = await store.request(workspace, Id(known_id(id)))
    return await shown(info, store, request) if request else None


EXPORT_START = field(
    ExportStartPayload,
    {
        "what": Argument(str, about="A view of docs/sql.md, such as contact or deal."),
        "where": Argument(str, "", "A condition in SQL on its columns, such as `stage = 'won'`; empty: every row."),
        "format": Argument(Format, Format.CSV, "What is written."),
    },
    start,
    "Begins to export a view to a file. `fileExport` then has a link to it.",
)
FILE_EXPORT = field(
    FileExport | None,
    {"id": Argument(strawberry.ID, about="Id of the export.")},
    file_export,
    "Fetches one export, with a new link each time once it is done; null when there is none, or no longer.",
)
