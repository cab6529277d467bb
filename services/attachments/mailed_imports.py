"""A table that one of our own people mailed to the mailbox becomes an import: checked, and run by nobody but a person.

Whose mails count is said by the connection's setting `imports`. A From can be forged, so that nothing is changed by it.
"""

import re
from collections.abc import Awaitable, Callable
from email.utils import parseaddr
from pathlib import Path

import structlog

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.import_store import ImportStore
from crm.adapters.safe_http import NotReached
from crm.attachments import StoredLink, Wanted
from crm.connector import Connection
from crm.envelope import Fact
from crm.facts import MailReported
from crm.imports import Request, Wish, import_id
from crm.log import Clock

TABLES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".vcf")
Find = Callable[[str], Connection | None]
ReadFact = Callable[[tuple[str, int, int]], Awaitable[Fact]]  # raises NotReached
logger = structlog.get_logger()


class MailedImports:
    """Looks at each file that is stored. `fact`: reads the one that a file came with."""

    def __init__(
        self, files: AttachmentStore, imports: ImportStore, connection: Find, fact: ReadFact, clock: Clock
    ) -> None:
        self.files, self.imports, self.connection, self.fact, self.clock = files, imports, connection, fact, clock

    async def stored(self, wanted: Wanted, link: StoredLink) -> None:
        """Asks for a check of a table from one of our own people, once for each content. Raises NotReached while Kafka
        is away."""
        name, workspace = Path(wanted.attachment.name).name, wanted.workspace
        if not (link.sha256 and name.lower().endswith(TABLES)):
            return
        connection = self.connection(wanted.source)
        if connection is None or connection.workspace != workspace:
            return
        people = set(re.split(r"[,;\s]+", connection.settings.get("imports", "").lower())) - {""}
        if not people or (sender := await self.sender(wanted)) not in people:
            return
        id = import_id(workspace, link.sha256)
        content = await self.files.content(workspace, link.sha256)
        if content is None or await self.imports.request(workspace, id):
            return  # the same content came before: what a person decided about it holds
        await self.imports.keep(workspace, link.sha256, content)
        size, at = len(content), self.clock()
        await self.imports.ask(Request(id, workspace, name, link.sha256, size, at, Wish.CHECK, mailed_by=sender))
        logger.info("a mail brought a file to import", workspace=workspace, id=id, sender=sender)

    async def sender(self, wanted: Wanted) -> str:
        """Returns who wrote the mail, if it went to nobody but us; else an empty text."""
        try:
            mail = await self.fact(wanted.fact)
        except NotReached as error:
            if error.again:
                raise
            logger.warning("a mail cannot be read; its files are not imported", why=str(error))
            return ""
        if not isinstance(mail, MailReported) or mail.customer or mail.automatic:
            return ""
        return parseaddr(mail.sender)[1].lower()
