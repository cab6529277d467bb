"""Reports of payments, in the form that all gateways share."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

from msgspec import Meta

from crm.connector import Connection, Report, country_of
from crm.errors import Malformed
from crm.facts import PaymentPartReported, PaymentReported
from crm.money import currency_of, to_minor
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.places import texts_at
from services.connectors.formats.values import required


def own_merchant(what: str, example: str = "") -> Meta:
    """Returns what people read of the setting by which a connection knows its merchant. `what`: "The merchant's id"."""
    said = f"{what}: payments of other merchants are refused."
    return Meta(description=said, examples=[example]) if example else Meta(description=said)


TestPayments = Annotated[bool, Meta(description="Count test payments as money. Only for a test workspace.")]


def payer_of(country: str, phone: str, email: str, **said: str) -> Payer:
    """Returns the payer. A phone that cannot be read stays as it was given. `said`: other fields of Payer."""
    return Payer(phone=read_phone(phone, country).e164 or phone, email=email.lower(), **said)


def payer_at(tree: Value, country: str = "", phone: str = "", email: str = "", **places: str) -> Payer:
    """`payer_of` what stands at these places (see `text_at`)."""
    found = texts_at(tree, phone=phone, email=email, **places)
    return payer_of(country, **found)


def expect_merchant(merchant: str, own: str) -> None:
    """Raises Malformed for a payment to somebody else; not where either is not known."""
    if own and merchant and merchant != own:
        raise Malformed(f"It is of merchant {merchant[:40]!r}, not of this connection's.")


def sum_in(tree: Tree, amount: str = "amount", currency: str = "currency") -> tuple[int, str]:
    """Returns a sum of major units, such as 54.10, in the smallest units, and its currency. Raises Malformed."""
    code = currency_of(required(tree, currency))
    return to_minor(required(tree, amount), code), code


class Gateway(NamedTuple):
    """What a gateway calls what every payment has. `statuses`: ours by its words; of its other words none means that
    money came. `payer`: where the fields of Payer are, and `places` those of PaymentReported; see `text_at`."""

    name: str
    statuses: Mapping[str, str]
    payer: Mapping[str, str]
    places: Mapping[str, str]

    def status(self, word: str) -> str:
        return self.statuses.get(word, "created")

    def report(
        self, said: Tree, connection: Connection, payment: str, key: str, at: Micros, doubts: Doubts, **more: Any
    ) -> Report:
        """`payment_report` of what a payment's object says. `more`: other fields of PaymentReported."""
        known = {"payer": payer_at(said, country_of(connection), **self.payer), **texts_at(said, **self.places)}
        return payment_report(self.name, payment, key, at, doubts, **(known | more))


def payment_report(
    provider: str, payment: str, key: str, at: Micros, doubts: Doubts, *, changed_at: Micros | None = None, **said: Any
) -> Report:
    """Returns the report of a payment's state. `changed_at`: what orders two states, where it is not `at`.

    `said`: other fields of PaymentReported.
    """
    when = at if changed_at is None else changed_at
    fact = partial(PaymentReported, provider=provider, payment=payment, changed_at=when, doubts=tuple(doubts), **said)
    return Report(key, payment, at, fact)


def part_report(
    provider: str,
    payment: str,
    key: str,
    at: Micros,
    part: str,
    *,
    amount_minor: int,
    began_at: Micros | None = None,
    **said: Any,
) -> Report:
    """Returns the report of a capture, a refund or a chargeback on its own. `amount_minor`: what it comes to; some
    write what went back with a minus. `began_at`: where that is not `at`. `said`: other fields of PaymentPartReported.
    """
    fact = partial(
        PaymentPartReported,
        provider=provider,
        payment=payment,
        part=part,
        amount_minor=abs(amount_minor),
        began_at=at if began_at is None else began_at,
        changed_at=at,
        **said,
    )
    return Report(key, payment, at, fact)
