"""The watched folder: a file that is put there is imported like the last one with the same columns."""

import tempfile
from pathlib import Path

import structlog

from crm.adapters.import_store import ImportStore
from crm.imports import LARGEST, Request, Wish, digest_of, import_id
from crm.scalars import Micros

SETTLED = 5_000_000  # microseconds without a change: then a file is whole
UNKNOWN = (
    "Nobody has imported a file with these columns yet, so that they may be guessed wrongly. Nothing was imported; the "
    "file is in `failed`. Import it with `crm import`: the next one in the watched folder is then imported by itself."
)

logger = structlog.get_logger()


def too_large(size: int) -> str:
    return (
        f"It has {size:,} bytes, and a file may have {LARGEST:,}. Nothing was imported; the file is in `failed`. Split "
        "it: rows of several files go together."
    )


async def take_files(store: ImportStore, at: Micros) -> None:
    """Asks for an import of each file that is whole. A file that is cut off here is taken once more."""
    for workspace, name, changed, size in await store.arrived():
        if at - changed < SETTLED:
            continue
        if size > LARGEST:
            await store.turn_away(workspace, name)
            logger.warning("a file was not imported", workspace=workspace, name=name, why=too_large(size))
            continue
        with tempfile.TemporaryDirectory(prefix="import-") as folder:
            file = Path(folder) / "file"
            await store.take(workspace, name, file)
            sha256 = digest_of(file)
            await store.keep(workspace, sha256, file)
        id = import_id(workspace, sha256)
        before = await store.request(workspace, id)
        first, count = (before.uploaded_at, before.number) if before else (at, 0)
        request = Request(id, workspace, name, sha256, size, first, Wish.RUN, number=count + 1, unattended=True)
        await store.ask(request)
        await store.taken(workspace, name)
