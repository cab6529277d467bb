"""What a mail reports: one fact, whichever way it came."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report, digest
from crm.errors import Malformed
from crm.facts import DeliveryKept, DeliveryQuarantined, MailReported
from crm.scalars import Micros
from crm.shared import Attachment
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.mails.mail import Address, Mail, addresses, moment_of
from services.connectors.mails.people import MailSettings, automatic, ours_in, who
from services.connectors.mails.quotes import MOST, without_quotes
from services.connectors.mails.safe_html import sanitised, texts_of
from services.connectors.repeats import content_key

DAY = 86_400_000_000
EARLIEST = 631_152_000_000_000  # 1990
LONGEST_SUBJECT, LONGEST_NAME = 1_000, 200


def mail_report(
    mail: Mail,
    delivery: Delivery,
    settings: MailSettings,
    received_for: Iterable[Address] = (),
    *,
    is_sent: bool = False,
    sent_at: Micros | None = None,
) -> Report:
    """`received_for`: the recipients of its envelope. `sent_at`: when it was sent, where its Date is not known. Raises
    Malformed for what is no mail."""
    if not mail.sender.written:
        mail = replace(mail, sender=next(iter(addresses(mail.headers.get("return-path", ""))), mail.sender))
    if not (mail.sender.written or mail.message_id or mail.subject or mail.to):
        raise Malformed("It has no headers of a mail: neither a sender nor a subject.")
    date = moment_of(mail.date) if mail.date else sent_at
    if date is not None and not EARLIEST < date < delivery.received_at + DAY:
        date = None  # of a clock that is wrong
    found = who(mail, ours_in(settings, received_for), is_sent)
    text, quoted = without_quotes(mail.text) if mail.text.strip() else texts_of(mail.html)
    same = digest("\0".join((mail.sender.written, mail.date, mail.subject, mail.text or mail.html)).encode())
    id = mail.message_id or f"{same[:32]}@without-an-id"
    name = found.customer.name
    fact = partial(
        MailReported,
        mail=id,
        references=tuple(one for one in dict.fromkeys(mail.references) if one != id),
        direction=found.direction,
        customer=found.customer.address,
        customer_name=name[:LONGEST_NAME] if "@" not in name else "",
        by_mailer=found.by_mailer,
        automatic=automatic(mail, found),
        sender=mail.sender.shown,
        sent_to=tuple(one.shown for one in mail.to),
        cc=tuple(one.shown for one in mail.cc),
        subject=mail.subject[:LONGEST_SUBJECT].strip(),
        text=text[:MOST],
        quoted=quoted[:MOST],
        html=sanitised(mail.html, mail.inline),
        attachments=shown_inline(mail),
        sent_at=date,
        returned=mail.returned,
        reason=mail.reason,
    )
    thread = mail.references[0] if mail.references else id
    # Programs give mails of different people one Message-ID: what it says is a part of the key.
    return Report(f"mail/{id}/{same[:16]}", thread, delivery.received_at if date is None else date, fact)


def delivered_to(mail: Mail) -> tuple[Address, ...]:
    """Returns for whom a mail server received it, as it wrote above the sender's headers."""
    return addresses(*(mail.headers.get(name, "") for name in ("delivered-to", "x-original-to", "envelope-to")))


def shown_inline(mail: Mail) -> tuple[Attachment, ...]:
    """Returns the files: which of them are pictures that the text shows, and which are attached to it."""
    shown = {ref for id, ref in mail.inline.items() if f"cid:{id}" in mail.html}
    return tuple(replace(file, kind="inline") if file.ref in shown else file for file in mail.files)


def kept(connector: str, kind: str, delivery: Delivery, id: str = "") -> Iterator[Report]:
    """What is no mail: how far a mail of ours came, a test of the vendor's. `id`: the vendor's, if it has one."""
    fact = partial(DeliveryKept, connector=connector, kind=kind)
    yield Report(f"{kind}/{id}" if id else content_key(kind, delivery), "", delivery.received_at, fact)


def each(
    items: Iterable[Tree], read: Callable[[Tree], Report], delivery: Delivery, connection: Connection
) -> Iterator[Report]:
    """Yields what each of a delivery's mails reports. One that cannot be read takes none of the others with it."""
    for item in items:
        try:
            yield read(item)
        except Malformed as error:
            fact = partial(DeliveryQuarantined, connector=connection.connector, reason=str(error))
            yield Report(f"unread/{digest(canonical(item))}", "", delivery.received_at, fact)
