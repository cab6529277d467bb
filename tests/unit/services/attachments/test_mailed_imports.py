"""A table that one of our own people mails to us is checked as an import, once, and nothing is run by a mail."""

import asyncio
import hashlib
from typing import Any

import pytest
from msgspec.structs import replace
from obstore.store import MemoryStore

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.import_store import ImportStore
from crm.adapters.safe_http import NotReached, SafeHttp
from crm.attachments import Wanted
from crm.connector import Connection
from crm.envelope import Fact
from crm.facts import MailReported
from crm.imports import Request, Wish, import_id
from crm.scalars import Id
from crm.shared import Attachment, Raw
from services.attachments.fetching import Fetching
from services.attachments.mailed_imports import MailedImports
from services.attachments.sources import Sources
from tests.support.scenarios import CONNECTION, NOON, SHOP, meta

CONTENT = "ПІБ;Телефон\nОлена;0671112233\n".encode("cp1251")
SHA = hashlib.sha256(CONTENT).hexdigest()
FILE = Attachment("file", "Клієнти.CSV", "text/csv", len(CONTENT), ref=f"sha256:{SHA}")
MAIL = MailReported(meta("mail"), Raw("", {}, "", b""), "1@x", sender="Анна <Anna@Shop.example>", attachments=(FILE,))
PLACE = ("crm.intake.chats", 3, 7)
OURS = {"imports": "ivan@shop.example, anna@shop.example"}


class Role:
    """The role attachments with one mail in Kafka."""

    def __init__(self, mail: Fact | NotReached = MAIL, settings: dict[str, str] = OURS, workspace: Id = SHOP) -> None:
        self.files, self.imports = AttachmentStore(MemoryStore()), ImportStore(MemoryStore())
        self.mail = mail
        connection = Connection(CONNECTION, workspace, "imap", "", settings)

        async def fact(place: tuple[str, int, int]) -> Fact:
            assert place == PLACE
            if isinstance(self.mail, NotReached):
                raise self.mail
            return self.mail

        class Kept(Sources):
            async def content(self, _: Wanted) -> bytes:
                return CONTENT

        mailed = MailedImports(self.files, self.imports, {CONNECTION: connection}.get, fact, lambda: NOON)
        self.fetching = Fetching(self.files, Kept(SafeHttp()), lambda: NOON, mailed.stored)

    def take(self, file: Attachment = FILE) -> Request | None:
        async def test() -> Request | None:
            self.fetching.turns = asyncio.Semaphore(1)
            await self.fetching.fetch_all([Wanted(SHOP, file, CONNECTION, PLACE)])
            return await self.imports.request(SHOP, import_id(SHOP, SHA))

        return asyncio.run(test())

    def waiting(self) -> list[Any]:
        return asyncio.run(self.imports.waiting())


def test_a_table_is_checked_once_and_what_a_person_then_decides_holds() -> None:
    role = Role()
    expected = Request(
        import_id(SHOP, SHA), SHOP, "Клієнти.CSV", SHA, len(CONTENT), NOON, Wish.CHECK, mailed_by="anna@shop.example"
    )
    assert role.take() == expected
    assert role.waiting() == [(SHOP, expected.id)]
    run = replace(expected, wish=Wish.RUN, number=2)
    asyncio.run(role.imports.ask(run))
    assert role.take() == run  # the same file once more, by mail or after a restart


@pytest.mark.parametrize(
    ("mail", "settings", "workspace"),
    [
        (replace(MAIL, sender="eve@x.example"), OURS, SHOP),
        (replace(MAIL, customer="olena@x.example"), OURS, SHOP),
        (replace(MAIL, automatic="auto-reply"), OURS, SHOP),
        (MAIL, {}, SHOP),
        (MAIL, OURS, Id("99999999-9999-5999-8999-999999999999")),
        (NotReached("It is gone."), OURS, SHOP),
    ],
    ids=["a stranger", "to a customer", "a program", "nobody may", "another workspace", "a mail that is gone"],
)
def test_what_else_is_mailed_is_no_import(mail: Any, settings: dict[str, str], workspace: Id) -> None:
    role = Role(mail, settings, workspace)
    assert role.take() is None and role.waiting() == []


def test_a_picture_is_no_import() -> None:
    role = Role()
    assert role.take(Attachment("file", "logo.png", ref=FILE.ref)) is None


def test_while_kafka_is_away_it_is_looked_at_again() -> None:
    role = Role(NotReached("Kafka is away.", again=True))
    with pytest.raises(ExceptionGroup):
        role.take()
    role.mail = MAIL
    request = role.take()
    assert request and request.wish is Wish.CHECK
