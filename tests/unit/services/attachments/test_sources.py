"""Files that a vendor names by an id or behind a log-in: the declared address alone gets the key, nothing tells it."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from msgspec import json
from obstore.store import MemoryStore
from structlog.testing import capture_logs

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import Answer, NotReached, SafeHttp
from crm.attachments import StoredLink, Wanted
from crm.connector import Connection
from crm.scalars import Id, Micros
from crm.shared import Attachment, Raw
from services.attachments.fetching import DELAYS, MINUTE, Fetching
from services.attachments.kept_parts import part_of
from services.attachments.sources import Sources, part
from services.connectors import CONNECTORS

HERE, THERE = Id("00000000-0000-4000-8000-00000000000a"), Id("00000000-0000-4000-8000-00000000000b")
SOURCE = Id("00000000-0000-4000-8000-00000000000c")
FILE = b"OggS" + b"\0" * 60
TOKEN, SECRET, SID = "123456789:AAE-TEST-" + "x" * 20, "TEST-secret-of-the-account", "AC" + "0" * 32
BOT = f"https://api.telegram.org/bot{TOKEN}/getFile?file_id=AgAC_1"
BOT_FILE = f"https://api.telegram.org/file/bot{TOKEN}/voice/file_1.oga"
GRAPH, MEDIA = (
    "https://graph.facebook.com/v23.0/1234",
    "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1",
)
RECORDING = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Recordings/RE1"
BASIC = "Basic " + base64.b64encode(f"{SID}:{SECRET}".encode()).decode()
BEARER = {"authorization": "Bearer TEST-token-1"}
ZADARMA = "https://api.zadarma.com/v1/pbx/record/request/?call_id=1458832388.4"
BREVO = "https://api.brevo.com/v3/inbound/attachments/a.b%2Fc"
MAC = "NDlmYzUyODMwN2FiM2FmNmFkNThlMmI4NzFjNmViMTE5OGFmZDFiZg=="  # by openssl
Pages = Mapping[str, bytes | int]


class Web(SafeHttp):
    """The answers of some addresses; any other answers 404. Notes each request."""

    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self.pages, self.requests = pages, list[tuple[str, dict[str, str]]]()

    async def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        self.requests.append((url, dict(headers or {})))
        found = self.pages.get(url, 404)
        return Answer(200, {}, found, url) if isinstance(found, bytes) else Answer(found, {}, url.encode(), url)


def connection(vendor: str, secret: str = SECRET, **settings: str) -> Connection:
    return Connection(SOURCE, HERE, vendor, secret, settings)


async def no_fact(_: object) -> Raw:
    raise AssertionError("no fact is read")


def sources(web: Web, own: Connection | None) -> Sources:
    vendors = {name: one.files for name, one in CONNECTORS.items() if one.files}
    return Sources(web, vendors, lambda id: own if id == SOURCE else None, no_fact)


def got(own: Connection | None, ref: str, pages: Pages) -> tuple[bytes | NotReached, list[tuple[str, dict[str, str]]]]:
    web = Web(pages)
    try:
        wanted = Wanted(HERE, Attachment("file", ref=ref), SOURCE)
        return asyncio.run(sources(web, own).content(wanted)), web.requests
    except NotReached as reason:
        return reason, web.requests


BOTS = connection("telegram", token=TOKEN)
WHATSAPP = connection("whatsapp", token="TEST-token-1")
TWILIO = connection("twilio", account_sid=SID)
FOUND = json.encode({"ok": True, "result": {"file_path": "voice/file_1.oga"}})


@pytest.mark.parametrize(
    ("own", "ref", "pages", "requests"),
    [
        (BOTS, "AgAC_1", {BOT: FOUND, BOT_FILE: FILE}, [(BOT, {}), (BOT_FILE, {})]),
        (WHATSAPP, "1234", {GRAPH: json.encode({"url": MEDIA}), MEDIA: FILE}, [(GRAPH, BEARER), (MEDIA, BEARER)]),
        (TWILIO, RECORDING, {RECORDING: FILE}, [(RECORDING, {"authorization": BASIC})]),
        (connection("brevo", api_key="TEST-1"), "a.b/c", {BREVO: FILE}, [(BREVO, {"api-key": "TEST-1"})]),
        (
            connection("zadarma", secret="TEST-secret", api_key="TEST-key"),
            "1458832388.4",
            {
                ZADARMA: b'{"status":"success","link":"https://files.example.com/1.mp3"}',
                "https://files.example.com/1.mp3": FILE,
            },
            [(ZADARMA, {"authorization": f"TEST-key:{MAC}"}), ("https://files.example.com/1.mp3", {})],
        ),
    ],
    ids=["telegram", "whatsapp", "twilio", "brevo", "zadarma"],
)
def test_a_file_is_fetched_as_its_vendor_requires(own: Any, ref: str, pages: Pages, requests: Any) -> None:
    assert got(own, ref, pages) == (FILE, requests)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twilio.com.example.com/2010-04-01/Accounts/" + SID + "/Recordings/RE1",
        RECORDING.replace("https", "http"),
        RECORDING.replace(SID, "AC" + "1" * 32),
        RECORDING.replace("Recordings", "Keys"),
        RECORDING.replace("RE1", "../Keys.json"),
        RECORDING.replace("RE1", "%2E%2e/Keys.json"),
        "https://media.twiliocdn.com/RE1",
    ],
)
def test_no_other_address_gets_the_key(url: str) -> None:
    """The sender of a message that names an address must not learn the key of the connection."""
    assert got(TWILIO, url, {url: FILE}) == (FILE, [(url, {})])


def test_a_link_that_the_vendor_gives_to_elsewhere_gets_no_key() -> None:
    elsewhere = "https://lookaside.fbsbx.com.example.com/whatsapp_business/1"
    pages = {GRAPH: json.encode({"url": elsewhere}), elsewhere: FILE}
    assert got(WHATSAPP, "1234", pages) == (FILE, [(GRAPH, BEARER), (elsewhere, {})])


@pytest.mark.parametrize(
    ("own", "ref", "pages", "reason", "again"),
    [
        (
            connection("telegram"),
            "AgAC_1",
            {},
            "telegram gives files by their id only with the setting token: set",
            True,
        ),
        (connection("form"), "an id", {}, "It is no address of the web, and form is not asked for files.", False),
        (TWILIO, "RE1", {}, "It is no address of the web, and twilio is not asked for files.", False),
        (
            None,
            "AgAC_1",
            {},
            "It is no address of the web, and the connection that it came by is gone or switched off",
            True,
        ),
        (
            replace(BOTS, workspace=THERE),
            "AgAC_1",
            {BOT: FOUND},
            "It is no address of the web, and the connection",
            True,
        ),
        (replace(BOTS, locked="x"), "AgAC_1", {}, "The key of its connection cannot be decrypted here.", True),
        (BOTS, "AgAC_1", {BOT: b"<html>"}, "telegram does not say where the file is.", True),
        (BOTS, "AgAC_1", {BOT: b'{"result":[]}'}, "telegram does not say where the file is.", True),
        (
            connection("brevo", api_key="xkey\n1"),
            "a",
            {},
            "The key of its connection has letters that no key has",
            True,
        ),
        (connection("brevo", api_key="ключ"), "a", {}, "The key of its connection has letters that no key has", True),
        (BOTS, "AgAC_1", {BOT: 401}, "api.telegram.org answered 401.", True),
        (BOTS, "AgAC_1", {BOT: 400}, "api.telegram.org answered 400.", False),
        (
            WHATSAPP,
            "1234",
            {GRAPH: b'{"url":"http://lookaside.fbsbx.com/1"}'},
            "lookaside.fbsbx.com answered 404.",
            False,
        ),
    ],
)
def test_why_there_is_no_file(own: Any, ref: str, pages: Pages, reason: str, again: bool) -> None:
    found, _ = got(own, ref, pages)
    assert isinstance(found, NotReached) and str(found).startswith(reason) and found.again == again


class Repeating(Web):
    """A library that says the whole address, and a vendor that repeats it."""

    async def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        if "getFile" not in url:
            raise NotReached(f"api.telegram.org broke off: RemoteProtocolError({url!r}).", again=True)
        return Answer(200, {}, FOUND, url)


def test_the_token_is_neither_stored_nor_logged() -> None:
    async def run() -> tuple[list[bytes], list[Any]]:
        store, at = AttachmentStore(MemoryStore()), [0]
        fetching = Fetching(store, sources(Repeating({}), BOTS), lambda: Micros(at[0]))
        with capture_logs() as logs:
            await fetching.fetch_all([Wanted(HERE, Attachment("voice", ref="AgAC_1"), SOURCE)])
            for delay in DELAYS:
                at[0] += delay * MINUTE
                assert await fetching.fetch_waiting() == 1
        link = await store.link(HERE, "AgAC_1")
        assert link and link.reason.startswith("api.telegram.org broke off") and "***" in link.reason
        every = [
            bytes(await (await store.store.get_async(one["path"])).bytes_async())
            async for found in store.store.list()
            for one in found
        ]
        return every, logs

    every, logs = asyncio.run(run())
    assert every and logs and not any(TOKEN in str(one) for one in [*every, *logs])


def mail(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


PARTED = mail(
    "From: Olena <olena@example.com>",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "See the file.",
    "--b",
    'Content-Type: audio/ogg; name="1.oga"',
    "Content-Transfer-Encoding: base64",
    "",
    base64.b64encode(FILE).decode(),
    "--b--",
)
FORM = b'--f\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + PARTED + b"\r\n--f--\r\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PARTED, "message/rfc822"),
        (json.encode({"message": {"raw": base64.urlsafe_b64encode(PARTED).decode().rstrip("=")}}), "application/json"),
        (json.encode([{"Attachments": [{"Data": base64.b64encode(FILE).decode()}]}]), "application/json"),
        (FORM, "multipart/form-data; boundary=f"),
    ],
    ids=["mail", "mail in JSON", "JSON", "mail in a form"],
)
def test_a_file_that_came_within_a_delivery_is_found_by_its_digest(body: bytes, kind: str) -> None:
    digest, raw = hashlib.sha256(FILE).hexdigest(), Raw(kind, {}, "", body)
    assert part_of(raw, digest) == FILE
    assert part_of(raw, "0" * 64) is None
    assert part_of(Raw(kind, {}, "", body[: len(body) // 3]), digest) is None


def test_a_mail_that_breaks_a_parser_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is read on only when each of its files is stored or has a reason."""

    def broken(_: bytes) -> None:
        raise LookupError("unknown encoding")

    monkeypatch.setattr("services.connectors.mails.packed.message_from_bytes", broken)
    with pytest.raises(NotReached, match=r"cannot be taken apart: LookupError\.$"):
        part(Raw("message/rfc822", {}, "", PARTED), "0" * 64)


def test_a_file_of_a_mail_is_read_from_its_fact_and_stored() -> None:
    async def run() -> tuple[StoredLink | None, list[object]]:
        places: list[object] = []

        async def fact(place: object) -> Raw:
            places.append(place)
            return Raw("message/rfc822", {}, "", PARTED)

        store = AttachmentStore(MemoryStore())
        fetching = Fetching(store, Sources(Web({}), fact=fact), lambda: Micros(0))
        ref = f"sha256:{hashlib.sha256(FILE).hexdigest()}"
        files = [Attachment("file", "1.oga", "audio/ogg", len(FILE), ref), Attachment("file", ref="sha256:" + "0" * 64)]
        await fetching.fetch_all(Wanted(HERE, file, SOURCE, ("facts.chats", 1, 7)) for file in files)
        other = await store.link(HERE, files[1].ref)
        assert other and other.reason == "What came in with it has no such part."
        return await store.link(HERE, ref), places

    link, places = asyncio.run(run())
    digest = hashlib.sha256(FILE).hexdigest()
    assert link == StoredLink(f"sha256:{digest}", digest, "audio/ogg", len(FILE), "1.oga")
    assert places == [("facts.chats", 1, 7)] * 2
