"""Resend: the mails that it received, with their text (https://resend.com/docs/api-reference/emails/list-received-emails).

The list has the newest first. The cursor is the id and the time of the last mail that was kept.
"""

from msgspec import Struct

from crm.connector_poll import HOUR, SECOND, Ask, Auth, Keep, Poll, Rejected, Steps, Turn, read_cursor, written_cursor
from services.connectors.formats.times import from_iso

SIZE = 100  # mails of one list


class Place(Struct, frozen=True):
    """The last mail that was kept: its id and when it came, microseconds."""

    id: str = ""
    at: int = 0


def pull(turn: Turn) -> Steps:
    place = read_cursor(turn.cursor, Place)
    since = max(turn.since, place.at - HOUR * SECOND)  # should the last mail have been deleted
    found: list[Place] = []
    ask: Ask | None = Ask("/emails/receiving", {"limit": str(SIZE)})
    while ask:
        page = yield ask
        listed = [Place(mail["id"], from_iso(mail["created_at"])) for mail in page.at("data") or ()]
        new = [mail for mail in listed if mail.at >= since]
        if place.id in (ids := [mail.id for mail in new]):
            new = new[: ids.index(place.id)]
        found += new
        ask = ask.with_parameter("after", listed[-1].id) if page.at("has_more") and new == listed else None
    for mail in reversed(found):
        try:
            kept = yield Ask(f"/emails/receiving/{mail.id}")
        except Rejected:  # it was deleted meanwhile
            continue
        yield Keep(kept, written_cursor(mail))


POLL = Poll(
    "https://api.resend.com",
    lambda _turn: Ask("/emails/receiving"),
    Auth(),
    every=60,
    per_minute=60,
    pull=pull,
    key="api_key",
)
