"""A mail as every vendor's form of it is read into."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email import utils
from email.utils import getaddresses, parsedate_to_datetime
from functools import lru_cache
from re import ASCII, IGNORECASE, compile
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct

from crm.scalars import Micros
from crm.shared import Attachment
from crm.text.emails import address_of
from services.connectors.mails.words import decoded_words

MOST_ADDRESSES, MOST_REFERENCES = 100, 40
_ID = compile(r"<\s*([^<>\s]{1,500})\s*>", ASCII)
_BARE_ID = compile(r"[^<>\s]{1,500}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Newer Pythons give nothing at all for a header with one address that breaks the rules, unless it is asked not to.
_AS_WRITTEN = {"strict": False} if getattr(utils, "supports_strict_parsing", False) else {}
# Most headers: one address, with a name or without.
_BOX = r"([^<>\s,;:()\"]+@[^<>\s,;:()\"@]+)"
_ONE = compile(rf'\s*(?:(?:"([^"\\<>]*)"|([^"\\<>,;:()@\[\]]*?))\s*<{_BOX}>|{_BOX})\s*')
_normal = lru_cache(maxsize=4_096)(address_of)
_SAFE = compile(r"[\r\n\t\0]+")
_DATE = compile(r"\d{1,2}\s+[a-z]{3}\s+\d{4}\s+\d{1,2}:\d{2}(?::\d{2})?\s*(?:[+-]\d{4})?", IGNORECASE)


class Address(NamedTuple):
    """Whose mailbox, as written."""

    name: str
    written: str

    @property
    def address(self) -> str:
        """In the one form in which two can be compared; empty for what is certainly none."""
        return _normal(self.written) if self.written else ""

    @property
    def shown(self) -> str:
        """Returns "Name <address>", or the one of the two that there is."""
        if not self.name or not self.written:
            return self.name or self.written
        return f"{quoted(self.name)} <{self.written}>"


NOBODY = Address("", "")


def quoted(name: str) -> str:
    """Returns a name as it stands in front of an address."""
    if not any(mark in name for mark in ',;:<>@()[]"\\'):
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Mail(Struct, frozen=True):
    """A mail. `headers`: their names in lower case; of several with one name, the first. `inline`: the `ref` of a file
    by its Content-ID. `returned`: the Message-ID of a mail that this one reports to be given up, and `reason` why."""

    sender: Address = NOBODY
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    date: str = ""
    text: str = ""
    html: str = ""
    files: tuple[Attachment, ...] = ()
    inline: Mapping[str, str] = MappingProxyType({})
    headers: Mapping[str, str] = MappingProxyType({})
    returned: str = ""
    reason: str = ""


def addresses(*headers: str) -> tuple[Address, ...]:
    """Reads headers such as `Ivan <ivan@example.com>, "Shop, sales" <s@example.com>`."""
    headers = tuple(filter(None, headers))
    if not headers:
        return ()
    if len(headers) == 1 and (one := _ONE.fullmatch(headers[0])):
        name = " ".join((one[1] or one[2] or "").split())
        return (Address(decoded_words(name).strip(), one[3] or one[4]),)
    found = []
    for name, written in getaddresses([_SAFE.sub(" ", header) for header in headers], **_AS_WRITTEN):
        name, written = decoded_words(name).strip(), written.strip()
        if "@" not in written:
            name, written = name or written, ""
        if name or written:
            found.append(Address(name, written))
    return tuple(found[:MOST_ADDRESSES])


def message_ids(header: str) -> tuple[str, ...]:
    """Returns the Message-IDs of a header without their angle brackets, also of one that was written without them."""
    found = _ID.findall(header)
    return tuple(found or (_BARE_ID.findall(header) if "@" in header else ()))


def thread(references: str, in_reply_to: str) -> tuple[str, ...]:
    """Returns the mails before, the oldest first, each once. Of a very long thread, the first and the last ones."""
    ids = list(dict.fromkeys((*message_ids(references), *message_ids(in_reply_to)[:1])))
    return tuple(ids if len(ids) <= MOST_REFERENCES else [ids[0], *ids[1 - MOST_REFERENCES :]])


def moment_of(date: str) -> Micros | None:
    """Reads a Date header; without a zone it is UTC. None for what is no moment."""
    found = None
    for written in (date, *(_DATE.findall(date) if date else ())):
        try:
            found = parsedate_to_datetime(written)
            break
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    if found is None:
        return None
    try:
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return Micros((aware - _EPOCH) // (datetime.resolution))
    except OverflowError:
        return None


def first_headers(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Returns headers by their names in lower case, of several with one name the first."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value)
    return found


def mail_of_headers(headers: Mapping[str, str], **said: object) -> Mail:
    """Returns a mail with everything that its headers say. `said`: what is known better."""
    get = headers.get
    known: dict[str, object] = {
        "sender": next(iter(addresses(get("from", ""))), NOBODY),
        "reply_to": addresses(get("reply-to", "")),
        "to": addresses(get("to", "")),
        "cc": addresses(get("cc", "")),
        "bcc": addresses(get("bcc", "")),
        "subject": decoded_words(get("subject", "")),
        "message_id": next(iter(message_ids(get("message-id", ""))), ""),
        "references": thread(get("references", ""), get("in-reply-to", "")),
        "date": get("date", ""),
        "headers": headers,
    }
    return Mail(**(known | said))  # type: ignore[arg-type]  # fields of Mail by their names
