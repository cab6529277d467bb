"""A connection that is asked: where it stands, and when it is its turn."""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from crm.connector import Connector
from crm.connector_poll import DAY, SECOND, Ask, Poll, Steps
from crm.delivery import Connection
from crm.envelope import named_id
from crm.facts import ConnectionPolled
from crm.scalars import Micros
from crm.shared import Meta

ODD_CLOCK = 120  # seconds between the vendor's clock and ours that are worth a word
MAD_CLOCK = DAY  # seconds past which the vendor's clock says nothing


@dataclass
class Pace:
    """What all connections with one key of a vendor share: the vendor counts requests by key."""

    next_at: int = 0  # microseconds: not asked before
    busy: bool = False
    waiting: "deque[Account]" = field(default_factory=deque)


@dataclass
class Account:
    """`state` is as of now, `written` as Kafka has it. `steps` is the turn in progress, `ask` its next request."""

    connection: Connection
    connector: Connector
    poll: Poll
    pace: Pace
    state: ConnectionPolled
    written: ConnectionPolled | None = None
    steps: Steps | None = None
    ask: Ask | None = None
    due: int = 0
    skew: int = 0  # the vendor's clock minus ours, microseconds
    odd_clock: str = ""
    said: str = ""  # what the connector finds worth a word
    token: str = field(default="", repr=False)
    token_until: int = 0
    key: str = field(default="", repr=False)  # in place of the connection's, where the vendor gave a newer one
    key_at: int = 0  # when the vendor gave it, microseconds
    key_kept: bool = True  # Kafka has it
    entry: int = 0  # the number of its place in the queue: older places are void
    queued: bool = False
    dropped: bool = False  # the connection is gone, changed, or asked by another replica

    @property
    def base(self) -> str:
        """The address that is asked; empty when the settings give none."""
        if isinstance(self.poll.base, str):
            return self.poll.base
        try:
            return self.poll.base(self.connection)
        except Exception:  # one connection's settings must not stop the others
            return ""

    @property
    def host(self) -> str:
        """The vendor's server, of which mailboxes and shops have each an address of their own."""
        return urlsplit(self.base).netloc.rpartition("@")[2]

    def clock_says(self, vendor: int, ours: int) -> None:
        """Notes the vendor's clock: `skew`, and a sentence in `odd_clock` when it is far from ours."""
        skew = vendor - ours
        if abs(skew) < ODD_CLOCK * SECOND:
            self.skew, self.odd_clock = 0, ""
            return
        if abs(skew - self.skew) < ODD_CLOCK * SECOND:
            return  # the sentence stays as it is
        self.skew = skew if abs(skew) <= MAD_CLOCK * SECOND else 0
        way = "ahead of" if skew > 0 else "behind"
        used = "It counts for what is asked." if self.skew else "It is ignored."
        self.odd_clock = f"The vendor's clock is {abs(skew) // SECOND} s {way} Potik's. {used}"


def key_digest(base: str, key: str) -> str:
    return hashlib.sha256(f"{base}\n{key}".encode()).hexdigest()


def new_state(connection: Connection, at: Micros) -> ConnectionPolled:
    """Returns the state of a connection that was never asked."""
    return ConnectionPolled(meta_of(connection, at), connection.id, connection.connector, began_at=at)


def meta_of(connection: Connection, at: Micros) -> Meta:
    id = named_id(connection.id, f"polled/{at}")
    return Meta(
        id=id,
        workspace=connection.workspace,
        stream=connection.id,
        occurred_at=at,
        recorded_at=at,
        source=connection.id,
        cause=id,
        actor=connection.connector,
    )


class Seal(Protocol):
    """Encrypts a key that the vendor gave in place of the connection's, so that it lies on no topic in clear."""

    def seal(self, key: str, at: int, account: Account) -> bytes:
        """`at`: when the vendor gave it, microseconds."""

    def unseal(self, sealed: bytes, account: Account) -> tuple[str, int] | None:
        """Returns the key and when the vendor gave it; None when it cannot be decrypted, or the connection has another
        key by now."""
