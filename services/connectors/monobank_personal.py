"""monobank personal and sole-trader accounts: a line of the statement (https://api.monobank.ua/docs)."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Connection, Connector, Delivery, Report
from crm.facts import DeliveryKept, PaymentReported
from crm.money import currency_of
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.ecdsa import der, expect_signed, from_base64, point_key
from services.connectors.exact_json import decode_object
from services.connectors.repeats import of_content
from services.connectors.times import from_seconds
from services.connectors.values import at, required, required_whole, text


def verify(delivery: Delivery, connection: Connection) -> None:
    """Where the bank's key is known its signature is asked for; the documents promise none, so the address may do."""
    if key := connection.settings.get("public_key"):
        signature = der(from_base64(delivery.headers.get("x-sign", ""), "signature"))
        expect_signed(point_key(key), signature, delivery.body)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    notice = decode_object(delivery.body)
    kind = required(notice, "type")
    if kind != "StatementItem":
        kept = partial(DeliveryKept, connector="monobank-personal", kind=kind)
        yield Report(of_content(kind, delivery), "", delivery.received_at, kept)
        return
    item, account = at(notice, "data", "statementItem"), required(notice, "data", "account")
    payment, held = required(item, "id"), at(item, "hold") is True
    when = from_seconds(required_whole(item, "time"))
    told = partial(
        PaymentReported,
        provider="monobank-personal",
        payment=payment,
        status="held" if held else "settled",
        amount_minor=required_whole(item, "amount"),
        currency=currency_of(required(item, "currencyCode")),
        changed_at=when
        if held
        else Micros(when + 1),  # the bank repeats the time: what is settled is newer than its hold
        purpose="\n".join(part for name in ("description", "comment") if (part := text(item, name))),
        payer=Payer(name=text(item, "counterName"), iban=text(item, "counterIban"), tax_id=text(item, "counterEdrpou")),
        account=account,
    )
    yield Report(f"{payment}/{'held' if held else 'settled'}", payment, when, told)


CONNECTOR = Connector("monobank-personal", "banking", verify, parse, greets=True)
