"""monobank personal and sole-trader accounts: the statement, for what no webhook brought (https://api.monobank.ua/docs).

The bank switches a webhook off after three failures. It answers one request in 60 seconds for each token.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from crm.connector_poll import DAY, HOUR, SECOND, Ask, Auth, ByTime, Listed, Page, Poll, Turn
from crm.delivery import Connection, Delivery, Report
from crm.errors import Malformed
from services.connectors.formats.exact_json import decode_object
from services.connectors.monobank_personal.webhook import line_of

FULL = 500  # lines of one answer, the newest first
SWITCHED_OFF = "The bank calls no webhook: payments come by the statement, an hour late. Set the webhook again."


def ask(turn: Turn) -> Ask:
    return Ask(f"/personal/statement/{turn.subject}/{turn.since // SECOND}/{turn.until // SECOND}")


def older(ask: Ask, page: Page) -> Ask | None:
    """A full answer is followed by what is older than its last line."""
    lines = page.tree
    return replace(ask, path=f"{ask.path.rpartition('/')[0]}/{lines[-1]['time']}") if len(lines) >= FULL else None


def accounts(page: Page) -> list[str]:
    """Every account, jar, and account of a business that the person manages."""
    lists = [page.at("accounts"), page.at("jars"), *(one.get("accounts") for one in page.at("managedClients") or ())]
    return [account["id"] for each in lists for account in each or ()]


def notice(page: Page) -> str | None:
    return (SWITCHED_OFF if page.at("webHookUrl") == "" else "") if page.ask.path == LIST.path else None


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    _, found, rest = delivery.path.partition("/personal/statement/")
    if not found:
        raise Malformed("It does not say whose statement it is of.")
    yield line_of(decode_object(delivery.body), rest.partition("/")[0], connection)


LIST = Ask("/personal/client-info")
POLL = Poll(
    "https://api.monobank.ua",
    ask,
    Auth("x-token", ""),
    parse,
    items=(),
    paging=older,
    cursor=ByTime(overlap=5 * DAY, window=31 * DAY),  # a hold is settled days later
    subjects=Listed(LIST, accounts),
    every=HOUR,
    per_minute=1,
    key="token",
    notice=notice,
)
