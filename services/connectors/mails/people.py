"""Whom a mail is with: never a mailer, never ourselves."""

import re
from collections.abc import Iterable
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from crm.vocabulary import Direction
from services.connectors.mails.mail import NOBODY, Address, Mail

# Mailboxes of programs. Nobody reads what is sent there.
_MAILER = re.compile(
    r"(?:.*[._+-])?(?:no-?_?\.?reply|do-?_?not-?_?reply|not?-?answer|nevidpovida\w*|mailer-?daemon)(?:[._+-].*|\d*)"
    r"|(?:wordpress|joomla|drupal|opencart|bitrix|www(?:-data|data|run)?|apache\d?|nginx|httpd|root|nobody|daemon"
    r"|postmaster|php|cron|web-?(?:form|server|site|mailer)s?|(?:auto|php)?-?mailer|robot|bot|auto(?:mail|matic)?"
    r"|forms?|formmail|notif(?:y|ications?)|notices?|alerts?|bounces?|system|server)(?:[+=].*)?",
    re.IGNORECASE,
)
_BULK = frozenset(("bulk", "list", "junk"))


class MailSettings(Struct, frozen=True, gc=False):
    """The settings of a connection to a mailbox."""

    addresses: Annotated[
        str,
        Meta(
            description="Our own addresses and domains, separated by commas: a mail from them is ours, and no "
            "customer is found by them. The address that the mail was received for is one of them anyway.",
            examples=["example.com, shop@example.org"],
        ),
    ] = ""
    mailers: Annotated[
        str,
        Meta(
            description="Addresses of programs that send in customers' names, such as a site's form, separated by "
            "commas: the customer is the mail's Reply-To. Usual ones (noreply@, wordpress@) are known.",
            examples=["orders@example.com"],
        ),
    ] = ""
    imports: Annotated[
        str,
        Meta(
            description="Addresses of your own people, separated by commas: a table that one of them mails to this "
            "mailbox alone is checked as an import, which a person then runs. They are ours as those above are.",
            examples=["anna@example.com, ivan@example.com"],
        ),
    ] = ""


class AnswerSettings(MailSettings, frozen=True, gc=False):
    """The settings of a connection whose mails can be answered."""

    reply_from: Annotated[
        str,
        Meta(
            description="Our address that answers are sent from, with a name if you like: needed to answer.",
            examples=["Shop <shop@example.com>"],
            extra={"pattern": r"[^\r\n]*[^\s@<>]+@[^\s@<>]+>?"},
        ),
    ] = ""


class SendingSettings(AnswerSettings, frozen=True, gc=False):
    """The settings of a connection to a mail service that also sends, by a key for that alone."""

    send_key: Annotated[str, Meta(description="The service's key to send with: needed to answer.")] = ""


class Ours(NamedTuple):
    """Addresses and domains that are the workspace's, and those of its mailers; all in lower case."""

    addresses: frozenset[str]
    mailers: frozenset[str]

    def has(self, address: str) -> bool:
        domain = address.rpartition("@")[2]
        return address in self.addresses or domain in self.addresses or f"@{domain}" in self.addresses

    def is_mailer(self, address: str) -> bool:
        return address in self.mailers or _MAILER.fullmatch(address.rpartition("@")[0]) is not None


def ours_in(settings: MailSettings, recipients: Iterable[Address] = ()) -> Ours:
    """`recipients`: for whom the mail was received, as its envelope says."""
    received = {one.address for one in recipients}
    own = listed(settings.addresses) | listed(settings.imports) | received - {""}
    return Ours(frozenset(own), frozenset(listed(settings.mailers)))


def listed(setting: str) -> set[str]:
    return {part for part in re.split(r"[,;\s]+", setting.lower()) if part} if setting else set()


class Who(NamedTuple):
    """The customer, and which way the mail went."""

    direction: Direction
    customer: Address = NOBODY
    by_mailer: bool = False


def who(mail: Mail, ours: Ours, is_sent: bool = False) -> Who:
    """`is_sent`: it lies among the mails that were sent."""

    def person(candidates: Iterable[Address]) -> Address:
        found = (one for one in candidates if (a := one.address) and not ours.has(a) and not ours.is_mailer(a))
        return next(found, NOBODY)

    sender = mail.sender.address
    others = person((*mail.to, *mail.cc, *mail.bcc))
    from_us = is_sent or ours.has(sender)
    if from_us and others is not NOBODY:
        return Who(Direction.OUT, others)
    if from_us or not sender or ours.is_mailer(sender):
        reply = person(mail.reply_to)
        return Who(Direction.OUT if is_sent else Direction.IN, reply, reply is not NOBODY)
    reply = person(one for one in mail.reply_to if one.address != sender) if to_itself(mail) else NOBODY
    return Who(Direction.IN, reply, True) if reply is not NOBODY else Who(Direction.IN, mail.sender)


def to_itself(mail: Mail) -> bool:
    """Whether it was sent from the address that it went to: a site's form or a group that sends in customers' names,
    from an address of ours that nobody has said is ours. Then the customer is who is to be answered."""
    return any(one.address == mail.sender.address for one in (*mail.to, *mail.cc))


def automatic(mail: Mail, found: Who) -> str:
    """Returns bulk, auto-reply or bounce; empty for what somebody wrote, also through a form."""
    if found.direction == Direction.OUT:
        return ""
    get = mail.headers.get
    submitted = get("auto-submitted", "").partition(";")[0].strip().lower()
    precedence = get("precedence", "").strip().lower()
    report = get("content-type", "").lower() if "multipart/report" in get("content-type", "").lower() else ""
    returned = mail.sender.address.startswith(("mailer-daemon@", "postmaster@"))
    if not found.by_mailer and ("delivery-status" in report or returned):
        return "bounce"
    if report or submitted.startswith("auto-replied") or precedence == "auto_reply" or "x-autoreply" in mail.headers:
        return "auto-reply"
    is_list = "list-id" in mail.headers or "list-unsubscribe" in mail.headers or precedence in _BULK
    return "bulk" if is_list and not (through_a_form(mail, found) or to_the_list(mail)) else ""


def through_a_form(mail: Mail, found: Who) -> bool:
    """A site's form, sent through a service for newsletters: who is to be answered is of another house."""
    one, other = (address.address.rpartition("@")[2] for address in (mail.sender, found.customer))
    return found.by_mailer and not (f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}"))


def to_the_list(mail: Mail) -> bool:
    """A shared mailbox that is a group, such as sales@example.com with the List-ID sales.example.com: it was written
    to, and did not write to its members."""
    list_id = mail.headers.get("list-id", "").rpartition("<")[2].strip("> ").lower()
    return any(one.address.replace("@", ".") == list_id for one in (*mail.to, *mail.cc) if one.address)
