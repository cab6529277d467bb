"""monobank personal and sole-trader accounts: a line of the statement (https://api.monobank.ua/docs)."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from crm.connector import OK, Answer, Connection, Delivery, Report, Webhook
from crm.connector_settings import Since
from crm.currencies import UNKNOWN_CURRENCY
from crm.errors import Malformed
from crm.money import currency_named, currency_of, money_text
from crm.scalars import Micros
from crm.shared import Payer
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Value, decode_object
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import from_seconds
from services.connectors.formats.values import at, required, required_whole, text, whole
from services.connectors.monobank_personal.activate import PersonalToken
from services.connectors.payments import payment_report
from services.connectors.repeats import kept
from services.connectors.signatures.ecdsa import der, expect_signed, from_base64, point_key

CODE = {"kind": "currency"}
UNSAID = "which currency the account has is not known"
WAITS = (
    "It waits. Set the account's currency on the connection as `currency.<account>`; say this one's with paymentCorrect"
)


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to the accounts of one person."""

    token: PersonalToken = ""
    public_key: Annotated[
        str,
        Meta(
            description="The bank's public key as GET /bank/sync gives it. With it, a delivery without the bank's "
            "signature is refused."
        ),
    ] = ""
    currency: Annotated[
        str,
        Meta(description="The currency of all accounts, for payments in another one.", examples=["UAH"], extra=CODE),
    ] = ""
    currencies: Annotated[
        dict[str, str],
        Meta(description="The currency of one account, by its id at the bank.", examples=["USD"], extra=CODE),
    ] = msgspec.field(name="currency.<account>", default_factory=dict)
    since: Since = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the signature if the settings have the bank's key. The documents promise none: the URL is the proof."""
    if key := connection.settings_as(Settings).public_key:
        signature = der(from_base64(delivery.headers.get("x-sign", ""), "signature"))
        expect_signed(point_key(key), signature, delivery.body)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    notice = decode_object(delivery.body)
    kind = required(notice, "type")
    if kind != "StatementItem":
        yield kept("monobank-personal", kind, delivery)
        return
    yield line_of(at(notice, "data", "statementItem"), required(notice, "data", "account"), connection)


def line_of(item: Value, account: str, connection: Connection) -> Report:
    """A line of an account's statement, by webhook and by poll. Raises Malformed."""
    payment, status = required(item, "id"), "held" if at(item, "hold") is True else "settled"
    when, amount, doubts = from_seconds(required_whole(item, "time")), required_whole(item, "amount"), Doubts()
    currency = currency_in(item, amount, configured_currency(connection, account), doubts)
    return payment_report(
        *("monobank-personal", payment, f"{payment}/{status}", when, doubts),
        status=status,
        amount_minor=amount,
        currency=currency,
        changed_at=Micros(when + (status == "settled")),  # the bank repeats the time: what is settled is newer
        purpose="\n".join(part for name in ("description", "comment") if (part := text(item, name))),
        payer=Payer(**texts_at(item, name="counterName", iban="counterIban", tax_id="counterEdrpou")),
        account=account,
    )


def configured_currency(connection: Connection, account: str) -> str:
    """Returns the account's currency as the connection's settings have it: `currency.<account>`, else `currency`."""
    settings = connection.settings_as(Settings)
    return settings.currencies.get(account) or settings.currency


def currency_in(item: Value, amount: int, setting: str, doubts: Doubts) -> str:
    """The currency of the account, which `amount` is in. `currencyCode` and `operationAmount` are the payer's side:
    where the sums are equal the currencies are too. Where they are not, only the connection's settings can tell; XXX,
    ISO 4217's code for none, where nothing does or where both disagree. Raises Malformed."""
    try:
        configured = currency_of(currency_named(setting) or setting) if setting else ""
    except Malformed:
        configured = ""
        doubts.say(f"the connection's setting of the account's currency is no currency: {setting[:10]!r}")
    unread = "the sum on the payer's side cannot be read"
    paid_amount = doubts.read(lambda: whole(item, "operationAmount"), None, unread)
    if configured and paid_amount is None:
        return configured
    paid_currency = currency_of(required(item, "currencyCode"))
    fee = abs(amount - paid_amount) if paid_amount is not None else 0
    equal = not fee or fee == doubts.read(lambda: whole(item, "commissionRate"), None, "its commission cannot be read")
    if equal and configured in ("", paid_currency):
        return paid_currency
    if not equal and configured not in ("", paid_currency):
        return configured
    said = f"the connection's settings say {configured}" if configured else UNSAID
    paid = money_text(paid_amount or 0, paid_currency)
    doubts.say(f"{amount} in the account's smallest unit came out of {paid}, and {said}. {WAITS}")
    return UNKNOWN_CURRENCY


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    """Answers the GET that the bank sends when the URL is registered: it expects a 200."""
    return OK if delivery.method == "GET" else None


WEBHOOK = Webhook(verify, parse, handshake=handshake)
