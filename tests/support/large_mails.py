"""Mails with large files as their vendors post them, and an intake that takes them, on any log."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlencode

import httpx
from msgspec import json
from obstore.store import MemoryStore

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from crm.connector import Connection, Delivery, delivery_of
from crm.contract.codec import decode, encode
from crm.envelope import Fact
from crm.facts import ConnectionDeclared, MailReported
from crm.log import Log, Record
from crm.scalars import Id
from services.connectors import CONNECTORS
from services.connectors.rehearsal import JSON, rehearsals
from services.intake.app import Intake
from tests.support.intake_server import NOON, WORKSPACE, meta

SEED, BOUNDARY = "large", "----potik"
TEXT = "Ось креслення, дивіться вкладення."
CONNECTIONS = {
    vendor: Id(f"7a{number:06}-0000-4000-8000-00000000000a") for number, vendor in enumerate(sorted(rehearsals()))
}


def content(size: int, seed: bytes = b"1") -> bytes:
    """Returns a PNG of so many bytes, as far as its first ones say, of which no two pieces are the same."""
    return b"\x89PNG\r\n\x1a\n" + hashlib.shake_128(seed).digest(size - 8)


def eml(*files: bytes, text: str = TEXT, id: str = "big@mail.example.net") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Olena <olena.test@example.net>", "shop@example.com", "Drawings"
    mail["Message-ID"] = f"<{id}>"
    mail.set_content(text)
    for number, file in enumerate(files):
        mail.add_attachment(file, maintype="image", subtype="png", filename=f"{number}.png")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def postmark(*files: bytes) -> tuple[bytes, str]:
    listed = [
        {"Name": f"{number}.png", "ContentType": "image/png", "Data": b64encode(file).decode()}
        for number, file in enumerate(files)
    ]
    mail = {"FromFull": {"Email": "olena.test@example.net", "Name": "Olena"}, "Subject": "Drawings", "TextBody": TEXT}
    return json.encode({**mail, "MessageID": "big@mail.example.net", "Attachments": listed}), JSON


def multipart(fields: Mapping[str, str | bytes], *files: bytes) -> tuple[bytes, str]:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + (value if isinstance(value, bytes) else value.encode())
        for name, value in fields.items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attachment-{number}"; filename="{number}.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + file
        for number, file in enumerate(files)
    ]
    return b"\r\n".join([*parts, f"--{BOUNDARY}--\r\n".encode()]), f"multipart/form-data; boundary={BOUNDARY}"


PROOF = {"timestamp": "1", "token": "t", "signature": "s"}
HEADERS = {"from": "Olena <olena.test@example.net>", "subject": "Drawings"}
AS_POSTED: dict[str, Callable[..., tuple[bytes, str]]] = {
    "postmark": postmark,
    "mailgun": lambda *files: multipart({**PROOF, **HEADERS, "body-plain": TEXT}, *files),
    "mailgun raw": lambda *files: (
        urlencode({"recipient": "shop@example.com", "body-mime": eml(*files)}).encode(),
        "application/x-www-form-urlencoded",
    ),
    "sendgrid": lambda *files: multipart({**HEADERS, "text": TEXT}, *files),
    "sendgrid raw": lambda *files: multipart({"email": eml(*files)}),
    "smtp": lambda *files: (eml(*files), "message/rfc822"),
}


class MailIntake:
    """Intake with a connection of each vendor, and a place for files or none. A usual delivery has 100,000 bytes."""

    def __init__(
        self,
        log: Log,
        run: Callable[[Any], Any],
        records: Callable[[], list[Record]],
        store: AttachmentStore | None,
        limit: int = 40_000_000,
    ) -> None:
        self.run, self.records, self.store, access = run, records, store, Access()
        access.complete = True
        for vendor, id in CONNECTIONS.items():
            own = rehearsals()[vendor]
            declared = ConnectionDeclared(
                meta(id), id, vendor, "", own.secret_of(SEED), dict(own.settings(SEED)), enabled=True
            )
            access.take(id.encode(), encode(declared))
        self.access = access
        self.app = Intake(
            access,
            log,
            CONNECTORS,
            max_body=100_000,
            clock=lambda: NOON,
            max_mail_body=limit,
            store=(lambda: store) if store else None,
        )

    def post(self, vendor: str, body: bytes, content_type: str, seed: str = SEED) -> httpx.Response:
        """Sends a request with the vendor's proof for the connection of a seed."""
        answer: httpx.Response = self.run(self.posting(vendor, body, content_type, seed))
        return answer

    def posting(self, vendor: str, body: bytes, content_type: str, seed: str = SEED) -> Any:
        request = Delivery({"content-type": content_type}, body, NOON)
        signed = rehearsals()[vendor].sign(request, seed)
        return self.sending(vendor, signed.body, signed.headers)

    def send(self, vendor: str, body: Any, headers: Mapping[str, str]) -> httpx.Response:
        answer: httpx.Response = self.run(self.sending(vendor, body, headers))
        return answer

    async def sending(self, vendor: str, body: Any, headers: Mapping[str, str]) -> httpx.Response:
        """Sends a request as it is."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://intake") as client:
            return await client.post(f"/in/{CONNECTIONS[vendor]}", content=body, headers=dict(headers))

    def mail(self, form: str, *files: bytes) -> httpx.Response:
        return self.post(form.split()[0], *AS_POSTED[form](*files))

    @property
    def facts(self) -> list[Any]:
        return [decode(record.value) for record in self.records() if record.value]

    def connection(self, vendor: str) -> Connection:
        found = self.access.connection(CONNECTIONS[vendor])
        assert found
        return found

    def read_again(self, fact: Any) -> list[Fact]:
        """Returns what the connector makes of what was kept."""
        vendor = next(name for name, id in CONNECTIONS.items() if id == fact.meta.source)
        own = delivery_of(fact.raw, fact.meta.recorded_at, fact.meta.trace)
        return CONNECTORS[vendor].read(own, self.connection(vendor))

    def stored(self, ref: str) -> bytes | None:
        async def look() -> bytes | None:
            assert self.store
            link = await self.store.link(WORKSPACE, ref)
            return await self.store.content(WORKSPACE, link.sha256) if link else None

        found: bytes | None = self.run(look())
        return found


def in_memory(store: bool = True, **more: Any) -> MailIntake:
    log = MemoryLog()
    return MailIntake(log, asyncio.run, lambda: log.records, AttachmentStore(MemoryStore()) if store else None, **more)


def only_mail(facts: list[Any]) -> MailReported:
    (fact,) = facts
    assert isinstance(fact, MailReported), fact
    return fact
