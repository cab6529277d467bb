"""Reads the facts that files came with, and finds out what the connectors declare."""

from collections.abc import Callable
from pathlib import Path

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.fact_reads import read_values
from crm.adapters.safe_http import NotReached, SafeHttp
from crm.connector import Connection
from crm.contract.codec import decode
from crm.envelope import Fact, now
from crm.errors import CrmError, Malformed
from crm.settings import Settings
from crm.shared import Raw
from services.attachments.mailed_imports import MailedImports, ReadFact
from services.attachments.sources import Read, Sources


def sources(settings: Settings, access: Access, http: SafeHttp) -> Sources:
    from services.connectors import CONNECTORS  # all of them: only where files are stored

    vendors = {name: one.files for name, one in CONNECTORS.items() if one.files}
    return Sources(http, vendors, known(access), raw_of(settings.kafka_bootstrap, archive_of(settings)))


def mailed_imports(settings: Settings, access: Access, files: AttachmentStore) -> MailedImports | None:
    """Returns None where there is no place for files of imports."""
    if not settings.imports:
        return None
    fact = fact_of(settings.kafka_bootstrap, archive_of(settings))
    return MailedImports(files, ImportStore.open(settings.imports), known(access), fact, now)


def archive_of(settings: Settings) -> Path | None:
    return Path(settings.archive).expanduser() if settings.archive else None


def known(access: Access) -> Callable[[str], Connection | None]:
    def find(id: str) -> Connection | None:
        if missing := access.missing():
            raise NotReached(missing, again=True)
        return access.connection(id)

    return find


def raw_of(bootstrap: str, archive: Path | None) -> Read:
    fact = fact_of(bootstrap, archive)

    async def read(place: tuple[str, int, int]) -> Raw:
        return getattr(await fact(place), "raw", None) or Raw("", {}, "", b"")

    return read


def fact_of(bootstrap: str, archive: Path | None) -> ReadFact:
    async def read(place: tuple[str, int, int]) -> Fact:
        if not place[0]:
            raise NotReached("It does not say which fact it came with.")
        try:
            value = (await read_values(bootstrap, archive, [place]))[place]
        except Exception as error:  # Kafka is away
            raise NotReached(f"The fact that it came with cannot be read: {error!r}.", again=True) from None
        if isinstance(value, CrmError):
            raise NotReached(str(value), again=True)
        try:
            fact: Fact = decode(value)
            return fact
        except Malformed as error:
            raise NotReached(f"The fact that it came with cannot be read: {error}") from None

    return read
