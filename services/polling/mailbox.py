"""IMAP to mail servers, for polls whose base begins with imaps: one connection an account, kept between its requests.

Folders are opened to be read only, and no mail is marked as seen. imaplib blocks, so it works in threads. Between two
turns a server that can says when a folder changes (IDLE, RFC 2177): that takes a connection and no thread.
"""

import asyncio
import contextlib
import imaplib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import msgspec
from imap_tools.errors import ImapToolsError

from crm.connector_poll import Ask, Expired, Page, PollFailed, Rejected
from crm.log import Clock
from crm.mailbox_asks import SEARCH, WHOLE_SIZE, Found
from services.polling.account import Account
from services.polling.idle import Cuts, Idle
from services.polling.imap_client import MAX_ANSWER, Client, MailBox, Wire

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]  # whatever the locale
MOST_KEPT = 500  # connections that stay open between turns; more would use up what a process may open
AT_ONCE = 32  # threads, as many as requests that run at once
TRY_AGAIN = re.compile(r"UNAVAILABLE|LIMIT|INUSE|SERVERBUG|try again|too many|temporar|system error", re.IGNORECASE)
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
GONE = (imaplib.IMAP4.abort, OSError)  # what a connection that is no more raises


class Unreadable(Exception):
    """The server has the mail and cannot give what was asked of it. It must not hold up the others."""


@dataclass
class Session:
    """An account's connection, logged in. `can_idle`: the server offers IDLE, as it says to who is logged in."""

    account: Account
    mailbox: MailBox
    wire: Wire
    can_idle: bool = False
    idle: Idle | None = None

    def stop_waiting(self) -> None:
        if self.idle:
            self.idle.stop_waiting()

    def close(self) -> None:
        self.stop_waiting()
        self.wire.cut()  # first: closing waits for a thread that reads
        with contextlib.suppress(OSError):
            self.mailbox.client.shutdown()


class Mailboxes:
    """Asks mail servers. `connect` is for tests."""

    def __init__(
        self,
        clock: Clock,
        seconds: float,
        connect: Callable[[SplitResult, str, float, Wire], imaplib.IMAP4] = Client,
        most: int = MOST_KEPT,
    ) -> None:
        self.clock, self.seconds, self.connect, self.most = clock, seconds, connect, most
        self.sessions: dict[str, Session] = {}  # by connection
        self.cuts = Cuts(clock)
        self.threads = ThreadPoolExecutor(AT_ONCE, "mailbox")

    def close(self) -> None:
        for id in list(self.sessions):
            self.drop(id)
        self.threads.shutdown(wait=False, cancel_futures=True)

    def drop(self, id: str) -> None:
        """Closes a connection; a thread that waits for its answer goes on with an error."""
        if session := self.sessions.pop(id, None):
            session.close()

    async def call(self, account: Account, ask: Ask, base: str, address: str) -> Page:
        """Returns the answer. `address`: of the host of `base`, looked up. Raises PollFailed, of its kinds the one that
        says what to do."""
        self.drop_gone()
        loop, id = asyncio.get_running_loop(), account.connection.id
        if known := self.sessions.get(id):
            known.stop_waiting()
        for again in (id in self.sessions, False):
            wire = Wire()  # of a connection that is made now: it is not among the sessions yet
            try:
                async with asyncio.timeout(self.seconds):
                    return await loop.run_in_executor(self.threads, self.work, account, ask, base, address, wire)
            except TimeoutError:
                wire.cut()
                self.drop(id)
                raise PollFailed(f"The mail server did not answer in full within {self.seconds:g} s.") from None
            except asyncio.CancelledError:
                wire.cut()
                self.drop(id)
                raise
            except GONE as error:
                self.drop(id)
                if not again:  # servers end connections that were quiet for long
                    raise PollFailed(f"The mail server cannot be reached: {type(error).__name__}: {error}.") from None
            except (imaplib.IMAP4.error, ImapToolsError, ValueError) as error:
                self.drop(id)
                raise PollFailed(f"The mail server answered something else: {error}.") from None
        raise AssertionError

    def drop_gone(self) -> None:
        """Closes the connections of accounts that are asked here no more."""
        for id in [id for id, session in self.sessions.items() if session.account.dropped]:
            self.drop(id)

    async def watch(self, account: Account, folder: str, wake: Callable[[int], None]) -> None:
        """Has the server say when the folder changes: then calls `wake` with the moment to ask again, once. A server
        that cannot, or that ends such waits, is asked on the clock alone. Raises nothing but cancellation."""
        id, loop = account.connection.id, asyncio.get_running_loop()
        session = self.sessions.get(id)
        if len(self.sessions) > self.most:
            self.drop(id)
            return
        if not session or not session.can_idle or self.cuts.is_pausing(id):
            return
        session.idle = idle = Idle(session.mailbox, loop, self.clock, wake)
        try:
            async with asyncio.timeout(self.seconds):
                await loop.run_in_executor(self.threads, self.begin_idle, session, folder, idle)
        except asyncio.CancelledError:
            self.drop(id)
            raise
        except (TimeoutError, PollFailed, ImapToolsError, imaplib.IMAP4.error, *GONE) as error:
            self.drop(id)
            self.cuts.add(id, repr(error))
        else:
            idle.wait()

    def begin_idle(self, session: Session, folder: str, idle: Idle) -> None:
        if session.mailbox.folder.get() != folder:
            select(session.mailbox, folder)
        idle.begin()

    def end_idle(self, session: Session) -> None:
        """Raises what says that the connection is no more."""
        idle, session.idle = session.idle, None
        if idle:
            try:
                idle.end()
            except (*GONE, ImapToolsError) as error:
                self.cuts.add(session.account.connection.id, repr(error))
                raise imaplib.IMAP4.abort(str(error)) from None
            self.cuts.forget(session.account.connection.id)

    def work(self, account: Account, ask: Ask, base: str, address: str, wire: Wire) -> Page:
        """Runs in a thread. What PollFailed refuses leaves the connection as it is."""
        session = self.sessions.get(account.connection.id)
        if not session or session.account is not account:  # of a mailbox that was set before, whose thread was slow
            session = self.log_in(account, urlsplit(base), address, wire)
        session.wire.left = MAX_ANSWER
        self.end_idle(session)
        body, headers = (search if ask.method == SEARCH else fetch)(session.mailbox, ask)
        uid = f"/;UID={ask.parameters['uid']}" if "uid" in ask.parameters else ""  # RFC 5092
        sent = "?sent=yes" if ask.parameters.get("sent") else ""
        url = f"{base}/{quote(ask.path, safe='')}{uid}{sent}"
        return Page(ask, body, self.clock(), {**headers, "content-length": str(len(body))}, url=url)

    def log_in(self, account: Account, base: SplitResult, address: str, wire: Wire) -> Session:
        id, user, password = (
            account.connection.id,
            unquote(base.username or ""),
            account.poll.key_of(account.connection),
        )
        client = self.connect(base, address, self.seconds, wire)
        session = self.sessions[id] = Session(account, MailBox(client), wire)
        try:
            login = session.mailbox.login if (user + password).isascii() else session.mailbox.login_utf8
            login(user, password, initial_folder=None)
            session.can_idle = b"IDLE" in session.mailbox.client.capability()[1][-1].upper().split()
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, ImapToolsError) as error:
            self.drop(id)
            said = f"The mail server does not let {user} in: {error}"
            raise (PollFailed if TRY_AGAIN.search(said) else Expired)(said) from None
        return session


def select(mailbox: MailBox, folder: str) -> tuple[int, int]:
    """Opens a folder to be read only. Returns its UIDVALIDITY and the UID of its next mail. Raises PollFailed."""
    try:
        mailbox.folder.set(folder, readonly=True)
    except ImapToolsError as error:
        raise PollFailed(f"The folder {folder} cannot be opened: {error}. Look at the settings.") from None
    responses: dict[str, Any] = mailbox.client.untagged_responses
    said = [bytes(responses.get(name, [b""])[-1]).decode("ascii", "replace") for name in ("UIDVALIDITY", "UIDNEXT")]
    if not all(one.isdigit() for one in said):
        raise PollFailed(f"The mail server does not say UIDVALIDITY and UIDNEXT of the folder {folder}.")
    return int(said[0]), int(said[1])


def search(mailbox: MailBox, ask: Ask) -> tuple[bytes, dict[str, str]]:
    validity, following = select(mailbox, ask.path)
    low, high, uids = int(ask.parameters["from"]), int(ask.parameters["to"]), []
    if low < following:
        day = date.fromisoformat(ask.parameters["since"])
        since = f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"
        uids = [int(uid) for uid in mailbox.uids(f"UID {low}:{high} SINCE {since}", charset=None)]
    return msgspec.json.encode(Found(validity, following, uids)), {"content-type": "application/json"}


def fetch(mailbox: MailBox, ask: Ask) -> tuple[bytes, dict[str, str]]:
    uid, validity = ask.parameters["uid"], int(ask.parameters["validity"])
    if mailbox.folder.get() != ask.path:
        found, _ = select(mailbox, ask.path)
        if found != validity:
            raise PollFailed(
                f"The mail server has given the mails of the folder {ask.path} new UIDs. It is searched again."
            )
    size = size_of(mailbox, uid, ask.path)
    most, headers = int(ask.parameters["most"]), {"content-type": "message/rfc822"}
    if size <= most and (whole := literals(mailbox, uid, "BODY.PEEK[]")) and len(whole[0]) <= most:
        return whole[0], headers
    first = literals(mailbox, uid, f"BODY.PEEK[]<0.{most}>") if size > most else []
    first = first or literals(mailbox, uid, "BODY.PEEK[HEADER]") or [b""]
    return first[0][:most], headers | {WHOLE_SIZE: str(size)}


def size_of(mailbox: MailBox, uid: str, folder: str) -> int:
    """Returns bytes; 0 of a mail that the server cannot read. Raises Rejected for one that is not there."""
    try:
        lines = answer(mailbox, uid, "RFC822.SIZE")
    except Unreadable:
        return 0
    for line in lines:
        if found := SIZE.search(line[0]):
            return int(found[1])
    raise Rejected(f"The mail {uid} is no longer in the folder {folder}.")


def literals(mailbox: MailBox, uid: str, parts: str) -> list[bytes]:
    try:
        return [bytes(line[1]) for line in answer(mailbox, uid, parts) if len(line) > 1]
    except Unreadable:
        return []


def answer(mailbox: MailBox, uid: str, parts: str) -> list[tuple[bytes, ...]]:
    """Returns what the server says of one mail: each a line, and the literal in it. Raises Unreadable."""
    status, said = mailbox.client.uid("FETCH", uid, f"(UID {parts})")
    if status != "OK":
        if TRY_AGAIN.search(str(said)):
            raise PollFailed(f"The mail server does not give the mail {uid} now: {said!r}.")
        raise Unreadable
    lines: list[tuple[bytes, ...]] = []
    for part in filter(None, said):
        if isinstance(part, tuple):
            lines.append(part)
        elif part[:1].isdigit() or not lines:
            lines.append((part,))
        else:  # what follows the literal
            lines[-1] = (lines[-1][0] + part, *lines[-1][1:])
    return [line for line in lines if re.search(rf"UID {uid}\b".encode(), line[0])]
