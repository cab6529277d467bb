"""IMAP: the mails of a mailbox's folders by their UIDs (RFC 9051). Nothing in the mailbox is changed.

The cursor says of each folder its UIDVALIDITY and the last UID that was kept. Under another UIDVALIDITY the folder is
asked for from the start: a mail's id follows from the mail, so none counts twice.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import (
    HOUR,
    SECOND,
    Ask,
    Keep,
    Page,
    Poll,
    PollFailed,
    Rejected,
    Steps,
    Turn,
    read_cursor,
    written_cursor,
)
from crm.connector_settings import Since
from crm.mailbox_asks import WHOLE_SIZE, Found, fetch, search
from crm.shared import Attachment
from services.connectors.formats.values import whole_or_none
from services.connectors.mails.mail import addresses
from services.connectors.mails.reports import delivered_to, mail_report
from services.connectors.mails.rfc822 import read_mail
from services.connectors.mails.submission import SubmissionSettings

SPAN = 20_000  # UIDs of one search
HOST = {"description": "The mail server, which must speak TLS; :993 unless it says a port."}
PORT = "(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"  # at most 65535
USER = {"description": "The user name, most often the whole address.", "examples": ["shop@example.com"]}
FOLDER = {"description": "The folder with the mails that come in."}
SENT = {"description": "The folder with what your people sent. Empty: none.", "examples": ["Sent", "[Gmail]/Sent Mail"]}


class Settings(SubmissionSettings, frozen=True, gc=False, kw_only=True):
    """The settings of a connection to a mailbox."""

    host: Annotated[str, Meta(**HOST, examples=["imap.example.com"], extra={"pattern": f"[A-Za-z0-9.-]+{PORT}"})]
    user: Annotated[str, Meta(**USER)]
    folder: Annotated[str, Meta(**FOLDER)] = "INBOX"
    sent: Annotated[str, Meta(**SENT)] = ""
    since: Since = ""


class Place(Struct, frozen=True, array_like=True):
    """How far a folder was kept."""

    validity: int = 0
    uid: int = 0


def base(connection: Connection) -> str:
    settings = connection.settings_as(Settings)
    return f"imaps://{quote(settings.user, safe='')}@{settings.host}"


def pull(turn: Turn) -> Steps:
    settings = turn.connection.settings_as(Settings)
    places = read_cursor(turn.cursor, dict[str, Place])
    yield from mails(settings.folder, False, places, turn)
    if settings.sent:
        yield from mails(settings.sent, True, places, turn)


def mails(folder: str, sent: bool, places: dict[str, Place], turn: Turn) -> Steps:
    """Yields a folder's new mails in the order of their UIDs. One that was deleted meanwhile is left out."""
    place = places.get(folder, Place())
    low = place.uid + 1
    while True:
        found = found_in((yield span(folder, low, turn)))
        if found.validity != place.validity:
            place, low = Place(found.validity), 1
            found = found_in((yield span(folder, low, turn)))
        for uid in sorted(uid for uid in found.uids if uid > place.uid):
            try:
                mail = yield fetch(folder, place.validity, uid, turn.max_body, sent)
            except Rejected:
                continue
            place = places[folder] = Place(place.validity, uid)
            yield Keep(mail, written_cursor(places))
        low += SPAN
        if low >= found.next:
            return


def span(folder: str, low: int, turn: Turn) -> Ask:
    """A server compares days in a time zone of its own: it is asked for some hours more."""
    since = datetime.fromtimestamp((turn.since - 14 * HOUR * SECOND) / SECOND, UTC).date()
    return search(folder, low, low + SPAN - 1, since)


def found_in(page: Page) -> Found:
    try:
        return msgspec.json.decode(page.body, type=Found)
    except msgspec.MsgspecError as error:
        raise PollFailed(f"The mail server's answer to the search cannot be read: {error}.") from None


def check(page: Page) -> None:
    """Raises PollFailed for an answer that is not whole."""
    if str(len(page.body)) != page.headers.get("content-length"):
        raise PollFailed("The mail server's answer was cut off. It is asked again.")


def notice(page: Page) -> str | None:
    if not (size := page.headers.get(WHOLE_SIZE)):
        return None
    if not page.body:
        said = f"the mail {page.ask.parameters['uid']} in the folder {page.ask.path}"
        return f"The mail server gives nothing of {said}: it is in quarantine without its content, look at it there."
    return (
        f"Of a mail of {int(size):,} bytes the first {len(page.body):,} were taken in: it is too long, or the server "
        f"cannot read the rest. Files are missing in Potik; all of it is still in the mailbox."
    )


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """One mail, as it travels. One that was cut off names the whole mail among its files, by its URL (RFC 5092)."""
    settings, size = connection.settings_as(Settings), delivery.headers.get(WHOLE_SIZE, "")
    mail = read_mail(delivery.body, delivery.path if size else "")
    if size:
        whole = Attachment("mail", "", "message/rfc822", whole_or_none({"": size}, "") or 0, delivery.path)
        mail = replace(mail, files=(*mail.files, whole))
    ours = delivered_to(mail) + addresses(settings.user if "@" in settings.user else "")
    yield mail_report(mail, delivery, settings, ours, is_sent=delivery.parameters.get("sent", "") == "yes")


POLL = Poll(
    base,
    lambda turn: span(turn.connection.settings_as(Settings).folder, 1, turn),
    parse=parse,
    cursor=None,
    every=60,
    per_minute=600,
    check=check,
    pull=pull,
    notice=notice,
    watch=lambda connection: connection.settings_as(Settings).folder,
)
