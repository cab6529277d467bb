"""The turn of a poll that is data: which requests follow each other, and where the cursor is after each page.

A cursor is JSON: by subject (an empty name when there is none) how far everything was seen, and the page to go on with
where a turn was cut off.
"""

from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime

from msgspec import Struct
from msgspec.structs import replace

from crm.connector_poll import (
    SECOND,
    Ask,
    ByTime,
    ByValue,
    Forgotten,
    Keep,
    Listed,
    Page,
    Poll,
    PollFailed,
    Rejected,
    Steps,
    Turn,
    read_cursor,
    written_cursor,
)
from crm.scalars import Micros

Following = tuple[str, dict[str, str]]  # path and parameters of the next page
ENDLESS = "The vendor gives one page again as the next. What is on it was kept; what would come after it is missing."


class Place(Struct, frozen=True, omit_defaults=True):
    """How far one subject was seen. `since`, `until` and `next` are of a walk that is not over."""

    at: int = 0  # the vendor's clock, microseconds: everything before was seen
    since: int = 0
    until: int = 0
    next: Following | None = None
    value: str = ""
    fresh: int = 0  # when the value was new last, or was asked without


Cursor = Callable[[Place], str]  # the whole cursor, once this subject is there


def walk(poll: Poll, turn: Turn) -> Steps:
    """Yields the requests of one turn, and each page with the cursor that holds once it is kept."""
    places = read_cursor(turn.cursor, dict[str, Place])
    subjects = turn.subjects
    size = getattr(poll.subjects, "batch", 1)
    if isinstance(poll.subjects, Listed):
        subjects = poll.subjects.read((yield poll.subjects.ask))
    batches = [subjects[n : n + size] for n in range(0, len(subjects), size)] if poll.subjects else [()]
    names = {name_of(batch): None for batch in batches}
    rejected: Rejected | None = None
    for batch in batches:
        name = name_of(batch)

        def cursor(place: Place, name: str = name) -> str:
            places[name] = place
            return written_cursor({each: places[each] for each in names if each in places})

        about, place = replace(turn, subjects=batch), places.get(name, Place())
        try:
            match poll.cursor:
                case ByTime() as policy:
                    yield from by_time(poll, policy, about, place, cursor)
                case ByValue() as policy:
                    yield from by_value(poll, policy, about, place, cursor)
                case _:
                    yield from without_cursor(poll, about)
        except Rejected as error:  # those behind it do not wait for it
            rejected = error
    if rejected:
        raise rejected


def without_cursor(poll: Poll, turn: Turn) -> Steps:
    ask: Ask | None = poll.ask(turn)
    while ask:
        page = yield ask
        yield Keep(page, turn.cursor)
        following = poll.paging(ask, page) if poll.paging else None
        if following == ask:
            raise PollFailed(ENDLESS)
        ask = following


def name_of(batch: Sequence[str]) -> str:
    return batch[0] if len(batch) == 1 else ""


def by_time(poll: Poll, policy: ByTime, turn: Turn, place: Place, cursor: Cursor) -> Steps:
    """Asks for window after window, from the last moment minus the overlap until now."""
    overlap, window = policy.overlap * SECOND, policy.window * SECOND
    since = min(place.since or (place.at - overlap if place.at else turn.since), turn.now)
    while True:
        until = place.until or (min(turn.now, since + window) if window else turn.now)
        first = poll.ask(replace(turn, since=Micros(since), until=Micros(until)))
        ask: Ask | None = replace(first, path=place.next[0], parameters=place.next[1]) if place.next else first
        last = b""
        while ask:
            try:
                page = yield ask
            except Forgotten:
                if place.next is None:
                    raise
                ask, place = first, Place(place.at)  # the vendor forgot the page: from the first one again
                continue
            following = poll.paging(ask, page) if poll.paging else None
            endless = following is not None and (following == ask or page.body == last)
            if following is None:
                place = Place(min(until, clock_of(page)))
            elif not endless:
                place = Place(place.at, since, until, (following.path, dict(following.parameters)))
            yield Keep(page, cursor(place))
            if endless:
                raise PollFailed(ENDLESS)
            ask, last = following, page.body
        if until >= turn.now or not window:
            return
        since = until


def by_value(poll: Poll, policy: ByValue, turn: Turn, place: Place, cursor: Cursor) -> Steps:
    """Asks with the value that the last page gave, until there is no new one."""
    value, overlap, seen = place.value, policy.overlap * SECOND, place.at
    if value and turn.now - place.fresh > policy.recheck * SECOND:
        value, seen = "", place.fresh
    while True:
        since = min(seen - overlap, turn.now) if seen else turn.since
        ask = poll.ask(replace(turn, since=Micros(since), until=turn.now, cursor=value))
        if value:
            ask = ask.with_parameter(policy.parameter, value)
        try:
            page = yield ask
        except Forgotten:
            if not value:
                raise
            value, place = "", replace(place, value="")
            continue
        found = policy.read(page)
        over = not found or found == value
        moment = min(turn.now, clock_of(page))
        fresh = moment if not value or (found and found != place.value) else place.fresh
        place = Place(moment if over else place.at, value=found or value or place.value, fresh=fresh)
        yield Keep(page, cursor(place))
        if over:
            return
        value = found


def clock_of(page: Page) -> int:
    """Returns the vendor's clock when it answered, microseconds; ours when it does not say."""
    try:
        return int(parsedate_to_datetime(page.headers["date"]).timestamp()) * SECOND
    except (KeyError, ValueError, TypeError, OverflowError):
        return page.received_at
