"""What a mail server is asked by IMAP (RFC 9051): the requests and answers of a poll whose base begins with imaps."""

from datetime import date

from msgspec import Struct

from crm.connector_poll import Ask

SEARCH, FETCH = "SEARCH", "FETCH"
WHOLE_SIZE = "x-whole-size"  # a header of an answer: bytes of a mail of which only the first part was taken


class Found(Struct, frozen=True):
    """The answer to a search, as JSON. `validity`: the folder's UIDVALIDITY. `next`: the UID of its next mail."""

    validity: int
    next: int
    uids: list[int]


def search(folder: str, low: int, high: int, since: date) -> Ask:
    """Asks which UIDs from `low` to `high` there are of mails that came on that day of the server's or later."""
    return Ask(folder, {"from": str(low), "to": str(high), "since": since.isoformat()}, SEARCH)


def fetch(folder: str, validity: int, uid: int, most: int, sent: bool = False) -> Ask:
    """Asks for one mail as it travels: whole, or of one with more than `most` bytes as much from its beginning. `sent`:
    its page's URL has the parameter sent=yes."""
    said = {"uid": str(uid), "validity": str(validity), "most": str(most), "sent": "yes" if sent else ""}
    return Ask(folder, said, FETCH)
