"""Imports of files: the list of them, and how far one is, as the role imports writes it next to the file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import GenericAlias
from typing import Any

import strawberry

from api.access import require
from api.context import Info
from api.errors import ApiError, BadInput
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.scalars import Long
from crm.adapters.import_store import ImportStore
from crm.imports import Counts, Phase, Reason, Request, Status, Undo, phase_of, targets_of
from crm.scalars import Id

MOST = 100
NO_STORE = "Nothing can be imported here: CRM_IMPORTS names no place for files. See docs/imports.md."
strawberry.enum(Phase, name="ImportPhase", description="What is done with a file now.")


class NoImports(ApiError):
    """This server has no place for files."""

    code = "NOT_FOUND"


@strawberry.type(description="Rows of a file by what becomes of them.")
class ImportCounts:
    rows: int = strawberry.field(description="All of them.")
    create: int = strawberry.field(description="New records.")
    update: int = strawberry.field(description="Records that change.")
    unchanged: int = strawberry.field(description="Records that are so already.")
    skip: int = strawberry.field(description="Rows that say nothing, and records that are there and shall stay.")
    error: int = strawberry.field(description="Rows that are refused.")
    doubt: int = strawberry.field(description="Of those that are taken: rows that a person should look at.")


@strawberry.type(description="Why a row was not taken, or what of it needs a look.")
class ImportReason:
    row: int = strawberry.field(description="Its first line in the file, or its row in the sheet.")
    why: str = strawberry.field(description="A sentence for people.")


@strawberry.type(description="A column of a file, and what becomes of it.")
class ImportColumn:
    name: str = strawberry.field(description="Its header.")
    target: str = strawberry.field(description="Such as `name`, `phones` or `fields.NAME`; empty: it is left out.")
    examples: list[str] = strawberry.field(description="Its values in the first rows.")


@strawberry.type(description="A record that an undo leaves, all or in part.")
class ImportKept:
    record: str = strawberry.field(description="contact, deal or object.")
    id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="As people know it.")
    why: str = strawberry.field(description="A sentence for people.")


@strawberry.type(description="What the undo of an import does, or would do.")
class ImportUndo:
    contacts: int = strawberry.field(description="Contacts that go.")
    deals: int = strawberry.field(description="Deals that go.")
    objects: int = strawberry.field(description="Objects that go.")
    set_back: int = strawberry.field(description="Records that are as they were before the import.")
    kept: int = strawberry.field(description="Records that stay, all or in part.")
    reasons: list[ImportKept] = strawberry.field(description="The first of those that stay.")


@strawberry.type(description="A file of contacts, deals or objects that was sent to `POST /imports`.")
class FileImport:
    id: strawberry.ID = strawberry.field(description="The same content is the same import.")
    name: str = strawberry.field(description="Name of the file.")
    size: Long = strawberry.field(description="Bytes.")
    uploaded_at: datetime = strawberry.field(description="When this content came for the first time.")
    phase: Phase = strawberry.field(description="What is done with it now.")
    message: str | None = strawberry.field(description="Why it failed or what it waits for, as text for people.")
    format: str | None = strawberry.field(description="csv, tsv, xlsx, xls, ods, html or vcard; null: not read yet.")
    found: list[str] = strawberry.field(description="Charset, delimiter and sheet, as `charset: cp1251`.")
    notes: list[str] = strawberry.field(description="What a person should know of the file.")
    record: str | None = strawberry.field(description="contact, deal or the key of a type of objects.")
    system: str | None = strawberry.field(description="Whose keys the rows have.")
    columns: list[ImportColumn] = strawberry.field(description="Which column is what.")
    targets: list[str] = strawberry.field(description="What a column can be, besides `fields.NAME` and left out.")
    checked: ImportCounts = strawberry.field(description="What the last check of the whole file said.")
    counts: ImportCounts = strawberry.field(
        description="Rows so far. A run counts only all rows, those skipped and those refused; a check every kind."
    )
    decided: int = strawberry.field(description="Rows that are in the cards.")
    progress: float = strawberry.field(description="Part of the file that was read, from 0 to 1.")
    seconds: float = strawberry.field(description="How long it has worked.")
    seconds_left: float | None = strawberry.field(description="By the rate so far; null when it is not at work.")
    refused: list[ImportReason] = strawberry.field(description="The first rows that were refused.")
    doubts: list[ImportReason] = strawberry.field(description="The first rows that need a look.")
    skipped: list[ImportReason] = strawberry.field(description="The first rows that were skipped.")
    undo: ImportUndo | None = strawberry.field(description="Of the last undo or its check; null: there was none since.")
    failed_rows: str | None = strawberry.field(
        description="Path at this server of the rows that were refused, or of what an undo kept, each with its reason."
    )


def store_of(info: Info, scope: str) -> tuple[ImportStore, Id]:
    """Returns where files are, and the caller's workspace. Raises Forbidden and NoImports."""
    token = info.context.token
    require(token, scope)
    if info.context.imports is None:
        raise NoImports(NO_STORE)
    return info.context.imports, Id(token.workspace)


async def shown(store: ImportStore, request: Request) -> FileImport:
    known = await store.status(request.workspace, request.id)
    phase = phase_of(request, known)
    status = Status(request.id) if known is None or phase is Phase.WAITING else known
    read = status.done / status.whole if status.whole else 0.0
    at_work = phase in (Phase.CHECKING, Phase.RUNNING, Phase.UNDOING) and read > 0
    return FileImport(
        id=strawberry.ID(request.id),
        name=request.name,
        size=Long(request.size),
        uploaded_at=datetime.fromtimestamp(request.uploaded_at / 1e6, UTC),
        phase=phase,
        message=status.message or None,
        format=status.format or None,
        found=[f"{name}: {value}" for name, value in status.found.items()],
        notes=status.notes,
        record=status.record or None,
        system=status.system or None,
        columns=[
            ImportColumn(name=name, target=target, examples=[row[place] for row in status.sample if row[place]])
            for place, (name, target) in enumerate(status.columns.items())
        ],
        targets=list(targets_of(status.record)) if status.record else [],
        checked=counts_of(status.checked),
        counts=counts_of(status.counts),
        decided=status.decided,
        progress=min(1.0, read),
        seconds=status.seconds,
        seconds_left=status.seconds * (1 - read) / read if at_work else None,
        refused=reasons_of(status.reasons),
        doubts=reasons_of(status.doubts),
        skipped=reasons_of(status.skipped),
        undo=undo_of(status.undo) if status.undo else None,
        failed_rows=f"/imports/{request.id}/failed" if status.failed else None,
    )


def counts_of(counts: Counts) -> ImportCounts:
    return ImportCounts(**{name: getattr(counts, name) for name in Counts.__struct_fields__})


def undo_of(undo: Undo) -> ImportUndo:
    kept = [ImportKept(record=one.record, id=strawberry.ID(one.id), name=one.name, why=one.why) for one in undo.reasons]
    return ImportUndo(
        contacts=undo.contacts,
        deals=undo.deals,
        objects=undo.objects,
        set_back=undo.set_back,
        kept=undo.kept,
        reasons=kept,
    )


def reasons_of(reasons: Sequence[Reason]) -> list[ImportReason]:
    return [ImportReason(row=one.row, why=one.why) for one in reasons]


async def imports(_: Any, info: Info, first: int = 20) -> list[FileImport]:
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is 1 to {MOST}. Nothing was read.")
    store, workspace = store_of(info, "write")
    return [await shown(store, request) for request in await store.newest(workspace, first)]


async def file_import(_: Any, info: Info, id: str) -> FileImport | None:
    store, workspace = store_of(info, "write")
    request = await store.request(workspace, Id(known_id(id)))
    return await shown(store, request) if request else None


IMPORTS = field(
    GenericAlias(list, FileImport),
    {"first": Argument(int, 20, f"How many, at most {MOST}.")},
    imports,
    "Imports of files, with how far each is; the one that something was asked of last is the first. Needs the scope "
    "`write`.",
)
FILE_IMPORT = field(
    FileImport | None,
    {"id": Argument(strawberry.ID, about="Id that `POST /imports` answered with.")},
    file_import,
    "Fetches one import; null when there is none. Needs the scope `write`.",
)
