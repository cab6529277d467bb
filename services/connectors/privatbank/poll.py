"""PrivatBank: transactions of business accounts, by Autoclient version 3 (https://acp.privatbank.ua)."""

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector_poll import DAY, Ask, Auth, ByTime, Expired, Page, Poll, PollFailed, Turn, expect_json
from crm.connector_settings import Since
from crm.delivery import Connection, Delivery, Report
from crm.poll_paging import next_value
from crm.shared import Payer
from crm.zones import zone
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import from_day_first, written
from services.connectors.formats.values import required, text
from services.connectors.payments import payment_report, sum_in

KYIV = zone("Europe/Kyiv")  # the bank's own time
STATUSES = meanings(settled="r", reversed="t", failed="n", created="p")
UTF8 = {"content-type": "application/json;charset=utf8"}  # else the answer is in windows-1251
WHOLE = re.compile(r"[A-Z0-9]{10,20}/[A-Z0-9]{1,4}")  # REF/REFN
OPTIONAL = {"description": "Only this account, by its number or IBAN. Empty: all that the token may see."}
GROUP = {"description": "The id of the Autoclient, for a token of a group of companies. Empty: none."}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to the accounts of a business."""

    account: Annotated[str, Meta(**OPTIONAL)] = ""
    client_id: Annotated[str, Meta(**GROUP)] = ""
    since: Since = ""


def ask(turn: Turn) -> Ask:
    settings = turn.connection.settings_as(Settings)
    begin, end = (written(at, "%d-%m-%Y", KYIV) for at in (turn.since, turn.until))
    group = {"id": settings.client_id} if settings.client_id else {}
    account = {"acc": settings.account} if settings.account else {}
    parameters = account | {"startDate": begin, "endDate": end, "limit": "100"}
    return Ask("/api/statements/transactions", parameters, headers=UTF8 | group)


def check(page: Page) -> None:
    expect_json(page)
    if page.at("status") != "SUCCESS":
        said = f"The bank answered: {page.at('message') or page.at('status')}"
        raise Expired(said) if str(page.at("code")) in ("401", "403") else PollFailed(said)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """One transaction. One that is only information (FL_REAL is not r) moved no money and gives nothing."""
    line = decode_object(delivery.body)
    payment = f"{required(line, 'REF')}/{text(line, 'REFN')}"
    state = required(line, "PR_PR")
    if required(line, "FL_REAL") != "r":
        return
    amount, currency = sum_in(line, "SUM", "CCY")
    when = from_day_first(required(line, "DATE_TIME_DAT_OD_TIM_P"), KYIV)
    signed = -amount if required(line, "TRANTYPE") == "D" else amount
    status = STATUSES.get(state, "created")  # of the others none means that money came
    yield payment_report(  # the bank repeats the time: of two states, the more advanced one counts
        *("privatbank", payment, f"{payment}/{state}", when, Doubts()),
        status=status,
        amount_minor=signed,
        refunded_minor=amount if status == "reversed" and signed > 0 else 0,
        currency=currency,
        payer=Payer(**texts_at(line, name="AUT_CNTR_NAM", iban="AUT_CNTR_ACC", tax_id="AUT_CNTR_CRF")),
        **texts_at(line, purpose="OSND", account="AUT_MY_ACC"),
    )


def proven_by(reference: str) -> tuple[str, str] | None:
    """The payment that a statement file names. REF alone is of several lines where the bank charges a fee."""
    return ("privatbank", reference) if WHOLE.fullmatch(reference) else None


POLL = Poll(
    "https://acp.privatbank.ua",
    ask,
    Auth("token", ""),
    parse,
    ("transactions",),
    next_value("followId", "next_page_id", more=("exist_next_page",)),
    ByTime(overlap=3 * DAY),  # a transaction may be reversed later, and the bank asks by days
    per_minute=20,
    check=check,
)
