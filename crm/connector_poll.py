"""What a vendor's API is asked for on a clock: data and pure functions. The role services.polling does the asking.

A turn is one look at one account: requests one after the other, until nothing more is new. Each page that comes back is
kept like a delivery of the vendor (its method is POLLED) and read by the connector, so the facts and their ids are the
same as by webhook. Where a turn has got to is its cursor, a text: it is written once Kafka has the facts of the page.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from crm.delivery import Connection, Delivery, Report
from crm.errors import NotYet
from crm.scalars import Micros

T = TypeVar("T")
POLLED = "POLL"  # the method of a delivery that was asked for
SECOND = 1_000_000  # microseconds
HOUR, DAY = 3_600, 86_400  # seconds


class PollFailed(NotYet):
    """The vendor's answer cannot be used: it is asked again later, at growing intervals. The cursor stays."""


class Throttled(PollFailed):
    """The vendor asks for patience: not before `after` seconds."""

    def __init__(self, sentence: str, after: float) -> None:
        super().__init__(sentence)
        self.after = after


class Rejected(PollFailed):
    """The vendor does not answer this one request, whatever else it answers: other subjects of the turn go on."""


class Expired(PollFailed):
    """The vendor does not accept the key or token: it is renewed once, and then a person has to look."""


class Forgotten(PollFailed):
    """The vendor no longer knows the cursor: everything is asked for again from the last moment that is known."""


class Ask(Struct, frozen=True):
    """One request to the vendor. `path` follows the base; a whole URL must be of the same host, except to log in."""

    path: str = ""
    parameters: Mapping[str, str] = {}
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = {}

    def with_parameter(self, name: str, value: str) -> "Ask":
        return msgspec.structs.replace(self, parameters={**self.parameters, name: value})


class Page(Struct, frozen=True):
    """The vendor's answer to one request, whole. Header names are in lower case."""

    ask: Ask
    body: bytes
    received_at: Micros
    headers: Mapping[str, str] = {}
    status: int = 200
    url: str = ""  # as it was asked for

    @property
    def tree(self) -> Any:
        """The body as JSON. Raises PollFailed when it is something else."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise PollFailed(f"The vendor's answer is not JSON: {error}.") from None

    def at(self, *path: str) -> Any:
        """The value at a path of names in the body; None when there is none."""
        tree = self.tree
        for name in path:
            tree = tree.get(name) if isinstance(tree, dict) else None
        return tree


class Keep(Struct, frozen=True):
    """The facts of a page, and the cursor once they are kept."""

    page: Page
    cursor: str


class Turn(Struct, frozen=True):
    """What a request is made of. `now` is the vendor's clock as far as it is known.

    `since` and `until` are the moments to ask between. `subjects` are what to ask about, when the poll declares any.
    """

    connection: Connection
    now: Micros
    since: Micros
    until: Micros
    subjects: Sequence[str] = ()
    cursor: str = ""  # the one that was kept last; empty at first, and after the vendor has forgotten it
    max_body: int = 1_000_000  # bytes of one delivery that is kept; of a longer one a part is asked for

    @property
    def subject(self) -> str:
        """The one subject; empty when there is none."""
        return self.subjects[0] if self.subjects else ""


Steps: TypeAlias = Generator[Ask | Keep, Page, None]  # an Ask is answered with its Page
Parse: TypeAlias = Callable[[Delivery, Connection], Iterable[Report]]
Paging: TypeAlias = Callable[[Ask, Page], Ask | None]  # the request for the next page; None after the last one


class Token(Struct, frozen=True):
    """What a log-in gave, good for `seconds`; 0: until the vendor refuses it. `refresh`: a new key to log in with."""

    text: str
    seconds: int = 0
    refresh: str = ""


def post_json(path: str, body: object) -> Ask:
    """Returns a request with a body in JSON."""
    return Ask(path, method="POST", body=msgspec.json.encode(body), headers={"content-type": "application/json"})


@dataclass(frozen=True)
class LogIn:
    """A request that gives a token. `ask` is given the connection and its key, or the newest `Token.refresh`."""

    ask: Callable[[Connection, str], Ask]
    read: Callable[[Page], Token]


def token_at(*path: str, seconds: int = 0) -> Callable[[Page], Token]:
    """Returns `LogIn.read` for a token at a place of the answer. `seconds`: how long it is good, as the vendor says."""

    def read(page: Page) -> Token:
        if isinstance(found := page.at(*path), str) and found:
            return Token(found, seconds)
        raise PollFailed("The vendor's answer to the log-in holds no token: check the name and the password.")

    return read


@dataclass(frozen=True)
class Auth:
    """How Potik proves itself to the vendor: a header with the connection's key, or with the token of a log-in."""

    header: str = "authorization"
    prefix: str = "Bearer "
    log_in: LogIn | None = None


@dataclass(frozen=True)
class ByTime:
    """The cursor is a moment: asked is what came since, and `overlap` seconds before, for what the vendor adds late.

    `window`: the most seconds that one request may span; 0: any number.
    """

    overlap: int = HOUR
    window: int = 0


@dataclass(frozen=True)
class ByValue:
    """The cursor is a value that each page gives for the next, such as its last id or a token of the vendor.

    `read` returns an empty text after the last page. Where the vendor has forgotten the value, it is asked by time:
    from `overlap` seconds before the last moment that is known. So it is after `recheck` seconds without anything new,
    should it have forgotten the value without saying so.
    """

    parameter: str
    read: Callable[[Page], str]
    overlap: int = HOUR
    recheck: int = DAY


@dataclass(frozen=True)
class Subjects:
    """What to ask about: `source` is a file of services/polling/sources, `batch` how many go into one request."""

    source: str
    batch: int = 1


@dataclass(frozen=True)
class Listed:
    """What to ask about, as the vendor lists it: its accounts, its threads. Each has a cursor of its own."""

    ask: Ask
    read: Callable[[Page], Sequence[str]]


def read_cursor(cursor: str, kind: type[T]) -> T:
    """Returns what `written_cursor` made a text of; an empty one for a cursor of another form."""
    try:
        return msgspec.json.decode(cursor or "{}", type=kind)
    except msgspec.MsgspecError:
        return kind()


def written_cursor(place: object) -> str:
    return msgspec.json.encode(place).decode()


def expect_json(page: Page) -> None:
    """Raises PollFailed for anything but JSON, such as the HTML of an error page that comes with status 200."""
    start = page.body.lstrip()[:1]
    if start == b"<":
        raise PollFailed("The vendor answered HTML instead of JSON, as it does when it is being repaired.")
    _ = page.tree


@dataclass(frozen=True)
class Poll:
    """What is asked of a vendor's API, and when. A function of one's own, `pull`, replaces everything about cursors."""

    base: str | Callable[[Connection], str]  # such as https://api.vendor.com; of a shop's own server, from the settings
    ask: Callable[[Turn], Ask]  # the first page of what is new
    auth: Auth | None = None  # None: `ask` puts the key where it belongs
    parse: Parse | None = None  # None: the webhook's
    items: tuple[str, ...] | None = None  # where a page's list is; each of its items becomes a delivery of its own
    paging: Paging | None = None
    cursor: ByTime | ByValue | None = ByTime()  # None: the same is asked for each time
    subjects: Subjects | Listed | None = None
    every: int = 300  # seconds from the end of a turn to the next
    per_minute: float = 60  # requests for one account
    back: int = 0  # seconds before the first turn that are asked for, if the setting `since` says nothing
    check: Callable[[Page], None] = expect_json  # raises PollFailed for an error that has status 200
    forgotten: frozenset[int] = frozenset((410,))  # statuses by which the vendor says that it does not know the cursor
    pull: Callable[[Turn], Steps] | None = None
    notice: Callable[[Page], str | None] = lambda page: None  # what a page says for people, "" that it is over
    watch: Callable[[Connection], str] | None = (
        None  # the folder that a mail server tells of at once (crm/mailbox_asks)
    )
    key: str = ""  # the setting with the vendor's key; empty: the connection's secret. Without one it is not asked

    def key_of(self, connection: Connection) -> str:
        """Returns the vendor's key; empty when the connection is not asked."""
        return (connection.settings.get(self.key, "") if self.key else connection.secret).strip()


def items_of(page: Page, path: tuple[str, ...]) -> list[bytes]:
    """Returns the items of a page's list, each in the vendor's own bytes. Raises PollFailed when there is no list."""
    try:
        tree = msgspec.Raw(page.body)
        for name in path:
            tree = msgspec.json.decode(tree, type=dict[str, msgspec.Raw])[name]
        return [bytes(item) for item in msgspec.json.decode(tree, type=list[msgspec.Raw] | None) or ()]
    except (msgspec.DecodeError, KeyError, UnicodeError) as error:
        place = ".".join(path) or "the answer"
        raise PollFailed(f"The vendor's answer has no list at {place}: {error}.") from None


def deliveries_of(poll: Poll, page: Page) -> list[Delivery]:
    """Returns the deliveries that a page is kept as: one, or one for each of its items."""
    bodies = [page.body] if poll.items is None else items_of(page, poll.items)
    url, _, query = page.url.partition("?")
    return [Delivery(page.headers, body, page.received_at, query, "", POLLED, path=url) for body in bodies]
