"""monobank personal and sole-trader accounts: a line of the statement (https://api.monobank.ua/docs)."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Connection, Connector, Delivery, Report
from crm.currencies import UNKNOWN_CURRENCY
from crm.errors import Malformed
from crm.facts import DeliveryKept, PaymentReported
from crm.money import currency_named, currency_of, money_text
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.doubts import Doubts
from services.connectors.form.repeats import of_content
from services.connectors.formats.exact_json import Value, decode_object
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, required, required_whole, text, whole
from services.connectors.signatures.ecdsa import der, expect_signed, from_base64, point_key


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
    amount, doubts = required_whole(item, "amount"), Doubts()
    told = partial(
        PaymentReported,
        provider="monobank-personal",
        payment=payment,
        status="held" if held else "settled",
        amount_minor=amount,
        currency=currency_in(item, amount, settings_for(connection, account), doubts),
        changed_at=when
        if held
        else Micros(when + 1),  # the bank repeats the time: what is settled is newer than its hold
        purpose="\n".join(part for name in ("description", "comment") if (part := text(item, name))),
        payer=Payer(name=text(item, "counterName"), iban=text(item, "counterIban"), tax_id=text(item, "counterEdrpou")),
        account=account,
        doubts=tuple(doubts),
    )
    yield Report(f"{payment}/{'held' if held else 'settled'}", payment, when, told)


def settings_for(connection: Connection, account: str) -> str:
    """The account's currency as the connection's settings tell it: `currency.<account>`, or `currency` for all."""
    settings = connection.settings
    return settings.get(f"currency.{account}") or settings.get("currency", "")


def currency_in(item: Value, amount: int, set_to: str, doubts: Doubts) -> str:
    """The currency of the account, which `amount` is in. `currencyCode` and `operationAmount` are the payer's side:
    where the sums are equal the currencies are too. Where they are not, only the connection's settings can tell; XXX,
    ISO 4217's code for none, where nothing does or where both disagree. Raises Malformed."""
    try:
        said = currency_of(currency_named(set_to) or set_to) if set_to else ""
    except Malformed:
        said = ""
        doubts.say(f"the connection's setting of the account's currency is none: {set_to[:10]!r}")
    there = doubts.read(lambda: whole(item, "operationAmount"), None, "the sum on the payer's side cannot be read")
    if said and there is None:
        return said
    theirs = currency_of(required(item, "currencyCode"))
    fee = abs(amount - there) if there is not None else 0
    if fee == 0 or fee == doubts.read(lambda: whole(item, "commissionRate"), None, "its commission cannot be read"):
        if said in ("", theirs):
            return theirs
        why = f"the connection's settings say {said}"
    elif said and said != theirs:
        return said
    else:
        why = f"the connection's settings say {said}" if said else "which currency the account has is not known"
    paid = money_text(there or 0, theirs)
    doubts.say(
        f"{amount} in the account's smallest unit came out of {paid}, and {why}. It waits. Set the account's currency "
        "on the connection as `currency.<account>`; say this one's with paymentCorrect"
    )
    return UNKNOWN_CURRENCY


CONNECTOR = Connector("monobank-personal", "banking", verify, parse, greets=True)
