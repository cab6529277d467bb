"""Reports of chats, in the form that all channels share: what was said, taken back, how far our messages came."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from crm.connector import Delivery, Report, digest
from crm.errors import Malformed
from crm.facts import DeliveryKept, DeliveryQuarantined, MessageReported, MessageStatusReported
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Phone
from services.connectors.formats.exact_json import Tree, Value, canonical
from services.connectors.formats.values import text, verbatim
from services.connectors.repeats import content_key

LONGEST = 3_000  # characters of what is put into words


class Channel(NamedTuple):
    """A channel, and the delivery that is being read. `account` is ours, where a chat's id alone does not say which."""

    name: str
    delivery: Delivery
    account: str = ""

    def message(self, chat: str, id: str, at: Micros | None, key: str = "", **said: Any) -> Report:
        """`at`: when it was sent, if known. `said`: other fields of MessageReported. Without a `key` the message's id
        is it: an edit, and whatever else concerns a message, has a key of its own."""
        known = {"chat_kind": "private", "sender": chat, "sent_at": at, "account": self.account}
        fact = partial(MessageReported, channel=self.name, chat=chat, message=id, **(known | said))
        return Report(key or f"message/{chat}/{id}", chat, at or self.delivery.received_at, fact)

    def edit(self, chat: str, id: str, at: Micros | None, key: str, **said: Any) -> Report:
        """`at`: when it was edited, if reported. What is edited says no more when it was first sent."""
        edited = at or self.delivery.received_at
        return self.message(chat, id, at, f"edit/{chat}/{key}", edited_at=edited, **({"sent_at": None} | said))

    def event(self, chat: str, id: str, at: Micros | None, words: str, **said: Any) -> Report:
        """Something that happened in the chat and that nobody said."""
        return self.message(chat, id, at, kind="service", text=f"[{words}]", **said)

    def deleted(self, chat: str, id: str, at: Micros | None, **said: Any) -> Report:
        reported = {"kind": "deleted", "sent_at": None} | said
        return self.message(chat, id, at, f"deleted/{chat}/{id}", **reported)

    def status(self, chat: str, id: str, status: str, at: Micros | None, reason: str = "", reply: str = "") -> Report:
        """`status`: one of crm.vocabulary.MessageStatus; `reply`: our id of it, where the channel hands it back."""
        fact = self._status(chat, message=id, status=status, reason=reason, reply=reply)
        return Report(f"{status}/{chat}/{id}", chat, at or self.delivery.received_at, fact)

    def status_up_to(self, chat: str, status: str, up_to: Micros) -> Report:
        """All messages of ours that were sent until then."""
        fact = self._status(chat, message="", status=status, up_to=up_to)
        return Report(f"{status}/{chat}/until {up_to}", chat, up_to, fact)

    def _status(self, chat: str, **reported: Any) -> Any:
        return partial(MessageStatusReported, channel=self.name, chat=chat, account=self.account, **reported)

    def kept(self, kind: str) -> Report:
        """What says nothing of a customer."""
        fact = partial(DeliveryKept, connector=self.name, kind=kind)
        return Report(content_key(kind, self.delivery), "", self.delivery.received_at, fact)

    def each(self, items: Iterable[Tree], read: Callable[[Tree], Iterable[Report]]) -> Iterator[Report]:
        """Yields what each of a delivery's items reports. One that cannot be read takes none of the others with it."""
        for item in items:
            try:
                yield from read(item)
            except Malformed as error:
                fact = partial(DeliveryQuarantined, connector=self.name, reason=str(error))
                yield Report(f"unread/{digest(canonical(item))}", "", self.delivery.received_at, fact)


def international(digits: str, country: str) -> Phone:
    """Reads a telephone that is given with its country's code and without the plus."""
    number = digits.isascii() and digits.isdecimal()
    return Phone(digits, read_phone(f"+{digits}", country).e164) if number else Phone(digits, "")


def joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def lines(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def flat(value: Value, name: str = "") -> Iterator[str]:
    """Yields every text and number with its name: "phone: 0671234567"."""
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from flat(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from flat(item, name)
    elif words := verbatim({"": value}, "").strip():
        yield f"{name}: {words}" if name else words


def plainly(value: Value) -> str:
    return ", ".join(flat(value))[:LONGEST]


def place(value: Value, latitude: str = "latitude", longitude: str = "longitude") -> str:
    """Returns "Location 50.45, 30.52", with name and address where they are reported."""
    where = f"Location {text(value, latitude)}, {text(value, longitude)}"
    return joined(where, text(value, "name"), text(value, "address"))


def card(name: str, *numbers: Phone) -> str:
    """Returns "Contact card: Ivan, +380501112233"."""
    return f"Contact card: {joined(name, *(phone.e164 or phone.text for phone in numbers))}"


def unknown(kind: str, of: Value) -> str:
    """Returns the readable content of a kind of message that is not known here."""
    return f"[a kind of message Potik does not know yet: {kind or 'without a name'}] {plainly(of)}".strip()[:LONGEST]
