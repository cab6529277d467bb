"""Where a file is: at an address, at its vendor under an id or behind a log-in, or in the fact that it came with."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import DecodeError, json

from crm.adapters.safe_http import BUSY, Answer, NotReached, SafeHttp, host_of
from crm.attachments import DIGEST, Wanted, is_web_address
from crm.claim_check import claims_of
from crm.connector import Connection
from crm.connector_files import FileRequest, Files, addressed, file_at, lacking, link_in, look_up, values_of
from crm.shared import Raw
from services.attachments.kept_parts import part_of

REFUSED = frozenset((401, 403))  # with a key: people may give the connection another one, so it is tried again
Read = Callable[[tuple[str, int, int]], Awaitable[Raw]]  # the raw bytes of a fact; raises NotReached
Find = Callable[[str], Connection | None]  # by its id; raises NotReached while connections are not known yet


async def no_facts(place: tuple[str, int, int]) -> Raw:
    raise NotReached("Facts are not read here.")


class Sources:
    """Gets the content of files. `vendors`: what connectors declare, by their name."""

    def __init__(
        self,
        http: SafeHttp,
        vendors: Mapping[str, Files] | None = None,
        connection: Find = lambda _: None,
        fact: Read = no_facts,
    ) -> None:
        self.http, self.vendors, self.connection, self.fact = http, vendors or {}, connection, fact

    async def content(self, wanted: Wanted) -> bytes:
        """Raises NotReached, in whose reason no key is."""
        ref = wanted.attachment.ref
        if ref.startswith(DIGEST):
            return part(await self.fact(wanted.fact), ref.removeprefix(DIGEST))
        if is_web_address(ref) and not self.vendors:
            return unpacked(await self.http.fetch(ref))
        connection = self.connection(wanted.source)
        if connection and connection.workspace != wanted.workspace:
            connection = None
        files = self.vendors.get(connection.connector) if connection else None
        if not connection or not files:
            if is_web_address(ref):
                return unpacked(await self.http.fetch(ref))
            raise NotReached(no_way(connection), again=connection is None and bool(wanted.source))
        try:
            return await self.of_vendor(files, connection, ref)
        except NotReached as reason:
            raise NotReached(hidden(connection, str(reason)), reason.again) from None

    async def of_vendor(self, files: Files, connection: Connection, ref: str) -> bytes:
        values, name = values_of(connection), connection.connector
        if is_web_address(ref):
            return unpacked(await self.get(addressed(files, ref, values)))
        if not files.look_up:
            raise NotReached(no_way(connection))
        if connection.locked:
            raise NotReached("The key of its connection cannot be decrypted here.", again=True)
        if missing := lacking(files, values):
            raise NotReached(f"{name} gives files by their id only with the setting {missing}: set it.", again=True)
        answer = unpacked(await self.get(look_up(files, ref, values)))
        if not files.link:
            return answer
        try:
            link = link_in(json.decode(answer), files.link)
        except (DecodeError, UnicodeDecodeError):
            link = ""
        if not link:
            raise NotReached(f"{name} does not say where the file is.", again=True)
        return unpacked(await self.get(file_at(files, link, values)))

    async def get(self, request: FileRequest) -> Answer:
        if not request.keyed:
            return await self.http.fetch(request.url)
        if not request.url.startswith("https://"):
            raise NotReached("Keys are sent over https only.")
        if not all(text.isascii() and text.isprintable() for text in (request.url, *request.headers.values())):
            raise NotReached("The key of its connection has letters that no key has: set it again.", again=True)
        answer = await self.http.send("GET", request.url, request.headers)
        if answer.status != 200:
            again = answer.status >= 500 or answer.status in BUSY | REFUSED
            raise NotReached(f"{host_of(answer.url)} answered {answer.status}{words(answer)}", again)
        return answer


LEFT_OUT = "It was left out when it came in: it was larger than a record, and CRM_ATTACHMENTS named no place for it."
GONE = "It was stored when it came in, and is not there any more."


def part(raw: Raw, digest: str) -> bytes:
    try:
        content, claims = part_of(raw, digest), claims_of(raw.headers)
    except Exception as error:  # of a parser: one mail must not stop the others
        raise NotReached(f"What came in with it cannot be taken apart: {type(error).__name__}.") from None
    if content is None and claims:
        raise NotReached(GONE if claims.stored else LEFT_OUT)
    if content is None:
        raise NotReached("What came in with it has no such part.")
    return content


def words(answer: Answer) -> str:
    """Returns what the vendor says besides its status, if it is JSON."""
    said = " ".join(answer.body[:200].decode("utf-8", "replace").split())
    return f": {said}" if said.startswith("{") else "."


def hidden(connection: Connection, text: str) -> str:
    """Returns the text without any value that could be a key: whatever a vendor or a library says back."""
    for value in sorted((connection.secret, *connection.settings.values()), key=len, reverse=True):
        text = text.replace(value, "***") if len(value) >= SHORT else text
    return connection.without_secrets(text)


SHORT = 8  # characters: a country, a name of a zone and other settings that are no keys


def no_way(connection: Connection | None) -> str:
    if connection is None:
        return "It is no address of the web, and the connection that it came by is gone or switched off."
    return f"It is no address of the web, and {connection.connector} is not asked for files."


def unpacked(answer: Answer) -> bytes:
    """Returns the body as it is. Raises NotReached when it is packed: nothing is unpacked."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise NotReached(f"It is packed as {answer.headers['content-encoding'][:40]}, which nobody asked for.")
    return answer.body
