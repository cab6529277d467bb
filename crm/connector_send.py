"""How a vendor takes an answer of ours: data and pure functions. The role services.outbound does the sending.

A reply becomes one request, and the vendor's answer to it one outcome. Whatever is not known to be refused or taken
over may have been sent: it is not sent again by itself, unless the vendor knows a repetition by a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from msgspec import Struct

from crm.connector_poll import Ask as Ask
from crm.connector_poll import Page as Page
from crm.connector_poll import PollFailed
from crm.delivery import Connection as Connection
from crm.events import ReplyQueued as ReplyQueued
from crm.send_limits import Limits as Limits

S = TypeVar("S", bound=Struct)
PATIENCE = 5.0  # seconds to wait where a vendor asks for patience and does not say how long
MOST_PATIENCE = 3_600.0


class Accepted(Struct, frozen=True):
    """The vendor took it over. `message`: its id there, if it gave one."""

    message: str = ""


class Failed(Struct, frozen=True):
    """It was not sent, and another try would not change that."""

    reason: str


class Later(Struct, frozen=True):
    """It was not sent. Not before `seconds`, if they are known."""

    reason: str
    seconds: float = 0.0


class Uncertain(Struct, frozen=True):
    """It may have been sent."""

    reason: str


Outcome: TypeAlias = Accepted | Failed | Later | Uncertain


class CannotSend(Exception):
    """Why no request can be made of a reply, as a sentence for people."""


class Sending(Struct, frozen=True):
    """A reply on its way. `files` are the contents of its attachments, where the vendor wants them in the request."""

    reply: ReplyQueued
    connection: Connection
    files: tuple[bytes, ...] = ()

    def settings_as(self, kind: type[S]) -> S:
        return self.connection.settings_as(kind)

    @property
    def key(self) -> str:
        """The same for every attempt: what a vendor knows a repetition by, and what it hands back."""
        return self.reply.message_id


@dataclass(frozen=True)
class Send:
    """How a vendor is asked to send, and what its answers mean. Paths in answers are names with dots between them."""

    base: (
        str | Callable[[Connection], str]
    )  # such as https://api.vendor.com; of people's own servers, from the settings
    request: Callable[[Sending], Ask]  # raises CannotSend
    limits: Limits = Limits()  # noqa: RUF009  # frozen
    message: str = ""  # where an answer has the vendor's id of the message
    why: str = ""  # where it has the vendor's words about a refusal
    good: Mapping[str, str] = field(default_factory=dict)  # what a good answer says besides its status
    busy: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what an answer says that asks for patience
    after: str = ""  # where it says how many seconds, besides Retry-After
    read: Callable[[Page, Sending], Outcome] | None = None  # what data cannot say about an answer of status 2xx
    idempotent: bool = False  # the vendor knows a repetition by the key of the request: it is sent again when in doubt
    inline: bool = False  # the files go into the request

    def outcome(self, page: Page, sending: Sending) -> Outcome:
        """Returns what became of a reply by the vendor's answer."""
        said = text_at(page, self.why) or f"The vendor answered {page.status}."
        if page.status == 429 or any(text_at(page, path) in codes for path, codes in self.busy.items()):
            return Later(said, patience(text_at(page, self.after) or page.headers.get("retry-after", "")) or PATIENCE)
        if page.status == 503 and (seconds := patience(page.headers.get("retry-after", ""))):
            return Later(said, seconds)
        if page.status >= 500 or page.status == 408 or 300 <= page.status < 400:
            return Later(said) if self.idempotent else Uncertain(said)
        if page.status < 300 and self.good and not is_object(page):
            return Later("Its answer cannot be read.") if self.idempotent else Uncertain("Its answer cannot be read.")
        if page.status >= 400 or any(text_at(page, path) != value for path, value in self.good.items()):
            return Failed(said)
        return self.read(page, sending) if self.read else Accepted(text_at(page, self.message))


def is_object(page: Page) -> bool:
    try:
        return isinstance(page.tree, dict)
    except PollFailed:
        return False


def text_at(page: Page, path: str) -> str:
    """Returns a text or a number of an answer; empty when there is none."""
    try:
        value = page.tree if path else None
    except PollFailed:
        return ""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if name.isdecimal() and int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return (
        ""
        if value is None or isinstance(value, dict | list)
        else str(value).lower()
        if value in (True, False)
        else str(value)
    )


def patience(text: str) -> float:
    """Returns the seconds that a vendor asks for, at most an hour; 0 when it says nothing that can be used."""
    try:
        seconds = float(text.strip() or 0)
    except ValueError:
        return PATIENCE  # a date: the next answer says more
    return min(max(0.0, seconds), MOST_PATIENCE) if seconds == seconds else 0.0
