"""Gmail: the mailbox's history and each new message as it travels
(https://developers.google.com/workspace/gmail/api/guides/sync).

The cursor is the history's id. Before there is one, and when Gmail knows it no more, messages are listed from the last
moment that is known; a mail's id follows from the mail, so none counts twice.
"""

from collections.abc import Generator, Iterator
from typing import Any

from msgspec import Struct

from crm.connector_poll import (
    HOUR,
    SECOND,
    Ask,
    Forgotten,
    Keep,
    Page,
    Poll,
    Rejected,
    Steps,
    Turn,
    read_cursor,
    written_cursor,
)
from crm.poll_paging import next_value, oauth2
from services.connectors.gmail.webhook import NO_MAILS

NEXT = next_value("pageToken", "nextPageToken")
FORMS = {"raw": "", "full": "files", "metadata": "text and files"}  # of a message, and what each leaves out
HISTORY = "/history?historyTypes=messageAdded&historyTypes=labelRemoved"
OVERLAP = 48 * HOUR  # seconds: a message that came late has an earlier time


class Place(Struct, frozen=True):
    """How far it was kept: all changes up to the history's id, and messages up to `at`, unix seconds."""

    history: str = ""
    at: int = 0


def pull(turn: Turn) -> Steps:
    place = read_cursor(turn.cursor, Place)
    if place.history:
        try:
            yield from changes(place, turn.max_body)
            return
        except Forgotten:
            pass
    yield from listed(max(place.at - OVERLAP, turn.since // SECOND), turn.max_body)


def changes(place: Place, most: int) -> Steps:
    """Each record of the history is kept before the cursor goes past it. What somebody takes out of the spam or the
    trash is as new as what is added."""
    ask: Ask | None = Ask(HISTORY, {"startHistoryId": place.history})
    while ask:
        page = yield ask
        for record in page.at("history") or ():
            for message in new_in(record):
                if NO_MAILS.keys().isdisjoint(message.get("labelIds", ())):
                    kept = yield from fetched(message["id"], most)
                    if kept:
                        place = Place(place.history, max(place.at, arrived(kept)))
                        yield Keep(kept, written_cursor(place))
            place = Place(str(record["id"]), place.at)
        ask = NEXT(ask, page)


def new_in(record: Any) -> Iterator[Any]:
    """Yields the messages that a record of the history brings, with the labels that they have now."""
    yield from (added["message"] for added in record.get("messagesAdded", ()))
    for removed in record.get("labelsRemoved", ()):
        if not NO_MAILS.keys().isdisjoint(removed.get("labelIds", ())):
            yield removed["message"]


def listed(since: int, most: int) -> Steps:
    """The oldest first. The history's id is asked for before, so that nothing comes in between."""
    profile = yield Ask("/profile")
    ids: list[str] = []
    ask: Ask | None = Ask("/messages", {"q": f"after:{since} -in:draft -in:chats", "maxResults": "500"})
    while ask:
        page = yield ask
        ids += [message["id"] for message in page.at("messages") or ()]
        ask = NEXT(ask, page)
    last: Page | None = None
    at = since
    for id in reversed(ids):
        kept = yield from fetched(id, most)
        if kept:
            last, at = kept, max(at, arrived(kept))
            yield Keep(kept, written_cursor(Place("", at)))
    if last:
        yield Keep(last, written_cursor(Place(str(profile.at("historyId") or ""), at)))


def fetched(id: str, most: int) -> Generator[Ask, Page, Page | None]:
    """Returns the message; of one that is too long its headers and text, or its headers. None when it was deleted."""
    page: Page | None = None
    for form in FORMS:
        try:
            page = yield Ask(f"/messages/{id}", {"format": form})
        except Forgotten:
            return None
        except Rejected:
            continue
        if len(page.body) <= most:
            break
    return page


def notice(page: Page) -> str | None:
    if left_out := FORMS.get(page.ask.parameters.get("format", "")):
        return f"A mail was taken in without its {left_out}: it is too long. All of it is still in the mailbox."
    return None


def arrived(page: Page) -> int:
    return int(page.at("internalDate") or 0) // 1_000


POLL = Poll(
    "https://gmail.googleapis.com/gmail/v1/users/me",
    lambda _turn: Ask("/profile"),
    oauth2("https://oauth2.googleapis.com/token", setting="oauth"),
    every=60,
    per_minute=120,
    forgotten=frozenset((404, 410)),
    pull=pull,
    notice=notice,
    key="oauth",
)
