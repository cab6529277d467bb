"""Reports of payments, in the form that all gateways share."""

from functools import partial
from typing import Any

from crm.connector import Report
from crm.errors import Malformed
from crm.facts import PaymentReported
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.doubts import Doubts


def payer_of(country: str, phone: str, email: str, **said: str) -> Payer:
    """Returns the payer. A phone that cannot be read stays as it was given. `said`: other fields of Payer."""
    return Payer(phone=read_phone(phone, country).e164 or phone, email=email.lower(), **said)


def expect_merchant(merchant: str, own: str) -> None:
    """Raises Malformed for a payment to somebody else; not where either is not known."""
    if own and merchant and merchant != own:
        raise Malformed(f"It is of merchant {merchant[:40]!r}, not of this connection's.")


def payment_report(
    provider: str, payment: str, key: str, at: Micros, doubts: Doubts, *, changed_at: Micros | None = None, **said: Any
) -> Report:
    """Returns the report of a payment's state. `changed_at`: what orders two states, where it is not `at`.
    `said`: other fields of PaymentReported."""
    when = at if changed_at is None else changed_at
    fact = partial(PaymentReported, provider=provider, payment=payment, changed_at=when, doubts=tuple(doubts), **said)
    return Report(key, payment, at, fact)
