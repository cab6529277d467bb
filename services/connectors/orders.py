"""Reports of orders, in the form that all shops share: sums exactly or in doubt, what a status stands for."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report, country_of, currency_of_connection, digest
from crm.connector_settings import Country, Since
from crm.facts import OrderReported
from crm.money import currency_named, currency_of, to_minor
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import OrderLine, Phone
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, Value, canonical
from services.connectors.formats.values import at, records, text

STAGE = "The stage of deals whose order has this status, or won or lost. Without it the status moves nothing."
PAYMENTS = "Count what the shop says was paid. Say no where the payments come from a gateway or a bank themselves."


class ShopSettings(Struct, frozen=True, gc=False, kw_only=True):
    """The settings of a connection to a shop."""

    payments: Annotated[bool, Meta(description=PAYMENTS)] = True
    country: Country = ""
    stages: Annotated[dict[str, str], Meta(description=STAGE, examples=["in_progress"])] = msgspec.field(
        name="stage.<status>", default_factory=dict
    )


class PolledShopSettings(ShopSettings, frozen=True, gc=False, kw_only=True):
    """The settings of a connection to a marketplace that is asked."""

    since: Since = ""


class Reading:
    """One order that is being read. What is no certain value is said, and the rest is read."""

    def __init__(self, order: Value, connection: Connection, currency: str = "") -> None:
        """`currency`: the order's, a code or a name ("uah", "грн"); that of the connection where it is empty."""
        self.order, self.doubts, self.country = order, Doubts(), country_of(connection)
        self.currency = self.doubts.read(
            lambda: (
                currency_of(currency_named(currency) or currency) if currency else currency_of_connection(connection)
            ),
            "",
            "its sums are in a currency that is not known",
        )
        self.settings = connection.settings_as(ShopSettings)

    def sum(self, *path: str, of: Value = None) -> int | None:
        """A sum at a path of the order, or of a part of it, in minor units; None where there is none."""
        written = at(self.order if of is None else of, *path)
        written = written.strip() if isinstance(written, str) else written
        if written is None or written == "" or isinstance(written, bool | list | dict):
            return None
        found: int | None = self.doubts.read(
            lambda: to_minor(written, self.currency), None, f"{'.'.join(path)} was left out"
        )
        return found

    def lines(
        self,
        name: str,
        read: Callable[["Reading", Tree], OrderLine],
        left: Callable[[list[Tree]], list[Tree]] = lambda every: every,
    ) -> tuple[OrderLine, ...] | None:
        """The lines of the order that are `left`, each as `read` gives it; one without a key has its place. None, which
        leaves the lines of the deal as they are, where there is no list of them."""
        listed, found = at(self.order, name), records(self.order, name)
        if not isinstance(listed, list) or len(found) < len(listed):
            self.doubts.say(f"{name} is no list of lines: those of the deal were left as they were.")
            return None
        lines = (read(self, line) for line in left(found))
        return tuple(line if line.key else replace(line, key=str(place)) for place, line in enumerate(lines, 1))

    def given_back(self, parts: Sequence[Tree], *path: str) -> int | None:
        """What was given back, together: some shops write it with a minus, some without. None as of `sums`."""
        found = [self.sum(*path, of=part) for part in parts]
        return self.sums(parts, *path) if None in found else sum(abs(one) for one in found if one is not None)

    def sums(self, parts: Sequence[Tree], *path: str) -> int | None:
        """What the parts have at a path, together; None where one of them has no certain sum."""
        found = [self.sum(*path, of=part) for part in parts]
        if None in found:
            self.doubts.say(f"What {'.'.join(path)} comes to in {len(parts)} parts is not certain: it was left out.")
            return None
        return sum(one for one in found if one is not None)

    def quantity(self, *path: str, of: Value) -> str:
        """A decimal number without needless zeros, or empty."""
        written = text(of, *path).replace(",", ".")
        try:
            number = Decimal(written or "x")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) > 15 or len(written) > 30:
            if written:
                self.doubts.say(f"A quantity could not be read: {written[:40]!r}.")
            return ""
        return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"

    @staticmethod
    def line_of_sums(key: str, sku: str, name: str, quantity: str, price: int | None, *sums: int | None) -> OrderLine:
        """A line of which the shop tells what it costs, `sums`: before the discount and after it."""
        before, total = sums
        off = before - total if before is not None and total is not None else 0
        return OrderLine(key, sku, name, quantity, price, off, total)

    def line(self, key: str, sku: str, name: str, quantity: str, price: int | None, off: int | None = 0) -> OrderLine:
        """A line of which the price of one is known. Its total follows, where it is a whole number of minor units."""
        total = None
        if price is not None and quantity and off is not None:
            exact = price * Decimal(quantity) - off
            total = int(exact) if exact == exact.to_integral_value() else None
        return OrderLine(key, sku, name, quantity, price, off or 0, total)


def phones_of(country: str, *texts: str) -> tuple[Phone, ...]:
    """Each telephone once, in this order."""
    found = [read_phone(written, country) for written in texts if written]
    return tuple({phone.e164 or phone.text: phone for phone in reversed(found)}.values())[::-1]


def delivery_of(sent_by: Sequence[Tree], title: str, to: Value, *names: str) -> str:
    """Returns how an order is sent and where to, in one line: titles of what it is sent by, parts of the address."""
    way = ", ".join(text(one, title) for one in sent_by)
    return ", ".join(filter(None, (way, *(text(to, name) for name in names))))


def within_second(at: Micros, *states: tuple[Sequence[str], str]) -> Micros:
    """Returns a moment of a clock with whole seconds, so that of two states of one second the later one in an order's
    life counts. `states`: words as an order goes on, and the order's; the first count more."""
    rank = 0
    for words, word in states:
        rank = rank * len(words) + (words.index(word) if word in words else 0)
    return Micros(at + rank)


def order_report(
    system: str,
    key: str,
    changed_at: Micros,
    reading: Reading,
    statuses: Sequence[str],
    version: str = "",
    *,
    fields: Mapping[str, object],
    phones: Sequence[str] = (),
    country: str = "",
    emails: Sequence[str] = (),
    **said: Any,
) -> Report:
    """`statuses`: the most telling first; the first that stands for a stage moves the deal. `version`: what tells the
    order of an answer from the same one later, where it does not say when it changed. `fields`: custom fields; what is
    empty is taken away from the deal, as the shop has it no more. `phones` and `emails`: texts, of which empty ones
    say nothing. `country`: of phones without a country code, where the order says it. `said`: other fields of
    OrderReported."""
    settings = reading.settings
    if not settings.payments or None in (said.get("paid_minor"), said.get("refunded_minor", 0)):
        said |= {"paid_minor": None, "refunded_minor": 0}
    known = [status for status in statuses if status]
    fact = partial(
        OrderReported,
        system=system,
        order=key,
        changed_at=changed_at,
        currency=reading.currency or None,
        status=known[0] if known else None,
        stage=next((settings.stages[status] for status in known if settings.stages.get(status)), None),
        phones=phones_of(country or reading.country, *phones),
        emails=tuple(dict.fromkeys(filter(None, emails))),
        fields={name: msgspec.json.encode(value).decode() if value else "null" for name, value in fields.items()},
        doubts=tuple(reading.doubts),
        **said,
    )
    content = digest(canonical(reading.order))[:16]  # with the shop's clock; two versions of one second are two
    return Report("/".join(filter(None, ("order", key, version, content))), key, changed_at, fact)


def deleted_order(system: str, key: str, delivery: Delivery) -> Report:
    """Of an order that is gone; its shop says no more than its key, not even when."""
    at = delivery.received_at
    fact = partial(OrderReported, system=system, order=key, changed_at=at, deleted=True)
    return Report(f"deleted/{key}", key, at, fact)


def worth(total: int | None, refunded: int | None) -> int | None:
    """What an order costs once a part was given back; one of which all was given back costs what it did."""
    return total if total is None or refunded is None or refunded >= total else total - refunded


def orders_in(body: Tree, *path: str) -> list[Tree]:
    """The orders of a page, or the one order that a body is."""
    found = at(body, *path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else [body]
