"""One request of an account, and everything that follows from it: facts, then the cursor, then the time of the next."""

import asyncio
import random
from collections.abc import Callable
from functools import partial
from urllib.parse import quote_plus

import structlog
from msgspec.structs import replace

from crm.adapters.telemetry.metrics import FACTS, POLLED
from crm.connector_poll import (
    SECOND,
    Ask,
    Expired,
    Keep,
    Page,
    PollFailed,
    Subjects,
    Throttled,
    Turn,
    deliveries_of,
)
from crm.contract.codec import encode
from crm.delivery import Connection
from crm.envelope import Fact
from crm.errors import NotYet
from crm.facts import ConnectionPolled, DeliveryQuarantined
from crm.log import Clock, Log, Record
from crm.poll_walk import clock_of, walk
from crm.scalars import Micros
from crm.topics import CURSORS
from services.intake.records import MAX_BODY, encoded
from services.polling.account import Account, Seal, meta_of
from services.polling.log_ins import LogIns
from services.polling.sources import Source, source
from services.polling.start import start_of
from services.polling.vendor import Vendors

QUIET = 300 * SECOND  # microseconds: a cursor that moved and found nothing is written as seldom
FIRST_PAUSE, LAST_PAUSE = 5, 900  # seconds after failures, doubling
NEEDS_PERSON = 3_600
KAFKA_AWAY = 5  # seconds until an account is looked at again while nothing can be kept
REMEMBERED = 50_000  # facts of overlapping pages that are not written a second time
PART = 6  # characters from which a part of a key is not shown
CHUNK = 500  # records that are sent to Kafka together
REPORTED = ("problem", "advice", "notice", "sealed_key")  # what is written as soon as it changes
logger = structlog.get_logger()


class Turns:
    """Takes one step of an account at a time."""

    def __init__(
        self,
        vendors: Vendors,
        log: Log,
        clock: Clock,
        *,
        seal: Seal | None = None,
        database_url: str = "",
        max_body: int = MAX_BODY,
        find_source: Callable[[str], Source] = source,
        jitter: Callable[[], float] = lambda: random.uniform(1.0, 1.5),
    ) -> None:
        self.vendors, self.log, self.clock = vendors, log, clock
        self.log_ins = LogIns(vendors, clock, seal, partial(self.write, now=True, dropped=True))
        self.database_url, self.find_source, self.jitter = database_url, find_source, jitter
        self.max_body = min(max_body, MAX_BODY)
        self.remembered: dict[int, None] = {}  # the oldest first

    async def step(self, account: Account) -> None:
        """One request. Leaves the account with the time when it is its turn again. Raises nothing but cancellation."""
        if self.log.missing():
            account.due = self.clock() + KAFKA_AWAY * SECOND
            return
        outcome, id = "failed", account.connection.id
        try:
            more = await self.advance(account)
            self.went_well(account, more)
            outcome = "answered"
        except PollFailed as error:
            self.went_wrong(account, error)
        except NotYet as error:  # Kafka did not acknowledge in time: the page is asked for again
            account.steps = account.ask = None
            account.due = self.clock() + KAFKA_AWAY * SECOND
            logger.warning("a page could not be kept; it is asked for again", connection=id, why=str(error))
        except Exception as error:  # a mistake in a connector must not stop the others
            logger.exception("a connector failed while it was asked for", connection=id)
            self.went_wrong(account, PollFailed(f"Potik's connector failed: {error!r}. Nothing was lost."))
        POLLED.labels(account.connector.name, outcome).inc()
        await self.write(account)

    async def rest(self, account: Account, wake: Callable[[int], None]) -> None:
        """After a turn that ended well: `wake` is called when the vendor says that there is something new."""
        if account.steps is None and not account.state.failures and not account.dropped:
            await self.vendors.watch(account, wake)

    async def advance(self, account: Account) -> bool:
        """Asks, and keeps what comes. Returns whether the turn has more to ask."""
        if account.steps is None:
            turn = await self.turn(account)
            account.steps = (account.poll.pull or partial(walk, account.poll))(turn)
            account.ask = await self.proceed(account, None, None)
        if account.ask is None:
            return False
        try:
            page = await self.request(account, account.ask)
        except (Throttled, Expired):
            raise
        except PollFailed as error:
            account.ask = await self.proceed(account, None, error)
        else:
            account.ask = await self.proceed(account, page, None)
        return account.ask is not None

    async def turn(self, account: Account) -> Turn:
        subjects: tuple[str, ...] = ()
        if isinstance(account.poll.subjects, Subjects):
            found = await self.find_source(account.poll.subjects.source)(account.connection, self.database_url)
            subjects = tuple(found)
        now = Micros(self.clock() + account.skew)
        began = account.state.began_at or now
        since = start_of(account.connection, account.poll, Micros(min(began, now)))
        return Turn(account.connection, now, since, now, subjects, account.state.cursor, self.max_body)

    async def proceed(self, account: Account, page: Page | None, error: PollFailed | None) -> Ask | None:
        """Keeps what the turn wants kept. Returns its next request; None when it is over."""
        steps = account.steps
        assert steps is not None
        try:
            made = steps.throw(error) if error else steps.send(page) if page else next(steps)
            while isinstance(made, Keep):
                await self.keep(account, made)
                made = next(steps)
        except StopIteration:
            return None
        return made

    async def request(self, account: Account, ask: Ask) -> Page:
        auth = account.poll.auth
        for renewed in (False, True):
            headers = await self.log_ins.proof(account, auth) if auth else {}
            try:
                page = await self.vendors.call(account, ask, headers)
                account.poll.check(page)
                return self.look_around(account, page)
            except Expired:
                account.token = ""
                if renewed or not (auth and auth.log_in):
                    raise
        raise AssertionError

    def look_around(self, account: Account, page: Page) -> Page:
        """Notes what is odd: the vendor's clock, and what the connector finds worth a word. Returns the page without a
        time that cannot be."""
        account.clock_says(clock_of(page), page.received_at)
        if (said := account.poll.notice(page)) is not None:
            account.said = said
        notice = " ".join(filter(None, (account.odd_clock, account.said)))
        if notice != account.state.notice:
            account.state = replace(account.state, notice=notice)
        if account.odd_clock and not account.skew:
            return replace(page, headers={name: text for name, text in page.headers.items() if name != "date"})
        return page

    async def keep(self, account: Account, made: Keep) -> None:
        """Writes the facts of a page; only once Kafka has them all, the cursor. Raises NotYet and PollFailed."""
        connection, connector = account.connection, account.connector
        records: list[Record] = []
        new: dict[int, None] = {}  # by what is remembered of it
        for delivery in deliveries_of(account.poll, made.page):
            facts = {mark(fact, delivery.body): fact for fact in connector.read(delivery, connection)}
            facts = {each: fact for each, fact in facts.items() if each not in new and each not in self.remembered}
            if facts:
                taken, more = encoded(list(facts.values()), connector, connection, delivery)
                records += more
                new |= dict.fromkeys(facts)
                count(taken, connection)
            if len(records) >= CHUNK:
                await self.log.send(*records)
                records = []
            await asyncio.sleep(0)  # many items are not read in one go: others wait
        if records:
            await self.log.send(*records)
        self.remembered |= new
        while len(self.remembered) > REMEMBERED:
            del self.remembered[next(iter(self.remembered))]
        account.state = replace(account.state, cursor=made.cursor)
        if new:
            account.state = replace(account.state, found_at=self.clock())
            await self.write(account, now=True)

    def went_well(self, account: Account, more: bool) -> None:
        now = self.clock()
        spacing = int(60 / account.poll.per_minute * SECOND)
        account.pace.next_at = now + spacing
        account.due = now + (spacing if more else max(spacing, account.poll.every * SECOND))
        complete = account.state.complete_at
        if not more:
            account.steps = account.ask = None
            complete = now
        account.state = replace(
            account.state,
            answered_at=now,
            complete_at=complete,
            next_at=Micros(account.due),
            failures=0,
            problem="",
            advice="",
        )

    def went_wrong(self, account: Account, error: PollFailed) -> None:
        """The turn is over; the next one begins where the cursor is, after a pause that grows."""
        now, state = self.clock(), account.state
        account.steps = account.ask = None
        pause = min(FIRST_PAUSE * 2 ** min(state.failures, 20), LAST_PAUSE)
        if isinstance(error, Expired):
            pause = max(pause, NEEDS_PERSON) if state.failures else pause
        if isinstance(error, Throttled):
            pause = max(error.after, pause if not error.after else 0)
        pause = max(pause, 60 / account.poll.per_minute) * self.jitter()
        account.due = account.pace.next_at = now + int(pause * SECOND)
        account.state = replace(
            state,
            failed_at=now,
            failures=state.failures + 1,
            problem=without_key(str(error), account),
            advice=advice(error, account, state.failures),
            next_at=Micros(account.due),
        )
        logger.warning("a vendor could not be asked", connection=account.connection.id, why=account.state.problem)

    async def write(self, account: Account, now: bool = False, dropped: bool = False) -> bool:
        """Writes the state when it says something new; returns False when Kafka does not have it. `dropped`: also that
        of an account that is asked elsewhere by now. A failure to write costs at most asking again."""
        state, written = account.state, account.written
        if (account.dropped and not dropped) or state == written:
            return True
        if not now and written and is_quiet(state, written) and self.clock() - written.meta.recorded_at < QUIET:
            return True
        state = replace(state, meta=meta_of(account.connection, self.clock()))
        record = Record(CURSORS.name, account.connection.id.encode(), encode(state))
        try:
            await self.log.send(record)
            account.state = account.written = state
            account.key_kept = True
        except NotYet as error:
            logger.warning("a cursor could not be written; pages are asked for again", why=str(error))
            return False
        return True


def mark(fact: Fact, body: bytes) -> int:
    return hash((fact.meta.id, body))


def count(facts: list[Fact], connection: Connection) -> None:
    for fact in facts:
        FACTS.labels(type(fact).__name__).inc()
        if isinstance(fact, DeliveryQuarantined):
            logger.warning("quarantined a page", fact=fact.meta.id, connection=connection.id, why=fact.reason)


def is_quiet(state: ConnectionPolled, written: ConnectionPolled) -> bool:
    """Whether only time has passed since it was written, and no turn that found something has ended."""
    ended = state.complete_at != written.complete_at and (written.complete_at or 0) <= (written.found_at or 0)
    return not ended and all(getattr(state, name) == getattr(written, name) for name in REPORTED)


def without_key(text: str, account: Account) -> str:
    """Returns a vendor's words without what is secret in them, also without the parts of a key that has several."""
    keys = account.key, account.token, account.connection.secret, account.poll.key_of(account.connection)
    parts = {part for key in keys for part in (key, *key.split(":")) if part == key or len(part) >= PART}
    for part in sorted(parts - {""}, key=len, reverse=True):
        text = text.replace(part, "***").replace(quote_plus(part), "***")
    return text


def advice(error: PollFailed, account: Account, before: int) -> str:
    """Returns what a person has to do; empty where it is likely to mend itself."""
    name, id = account.connector.name, account.connection.id
    if isinstance(error, Expired) and account.connector.oauth:
        return (
            "The vendor does not accept the permission any more. Log in again: "
            f"`crm connect {name} --connection {id} --client-id ID --client-secret SECRET` prints a link to open."
        )
    if isinstance(error, Expired):
        return f"The vendor does not accept the key. Give a new one: `crm connect {name} --connection {id}`."
    if before >= 5:
        return "It has failed for a while. Look whether the vendor works, and whether the settings are right."
    return ""
