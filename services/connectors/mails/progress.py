"""How far a mail of ours came, as the service that sent it says. It hands back what was sent with the mail: our id of
the reply. Of mails that were sent by others nothing is reported."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crm.connector import Connection, Delivery, Report
from crm.scalars import Micros
from services.connectors.chat import Channel
from services.connectors.mails.outgoing import mail_id
from services.connectors.mails.reports import kept

OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
REPLY = "potik_reply"  # the name under which our id goes out with a mail
LONGEST = 1_000


class Progress(NamedTuple):
    """What a service says of one mail. `status`: of crm.vocabulary.MessageStatus; empty for what says nothing new.
    `message`: its id as the answer to sending it said; empty: the Message-ID that we gave."""

    status: str
    reply: str
    at: Micros | None = None
    reason: str = ""
    message: str = ""


def progress(
    kind: str, said: Iterable[Progress], delivery: Delivery, connection: Connection, id: str = ""
) -> Iterator[Report]:
    """Yields a report of each mail that is a reply of ours; without any, what came is kept. `kind` and `id`: the
    vendor's, of what came."""
    channel = Channel("mail", delivery)
    ours = [one for one in said if one.status and OURS.fullmatch(one.reply)]
    for one in ours:
        mail = one.message or mail_id(one.reply, connection.settings.get("reply_from", ""))
        reason = one.reason[:LONGEST] if one.status == "failed" else ""
        yield channel.status(mail, mail, one.status, one.at, reason, one.reply)
    if not ours:
        yield from kept(connection.connector, kind, delivery, id)


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()
