"""Nova Poshta: where parcels are, up to a hundred a request (https://developers.novaposhta.ua, TrackingDocument)."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, country_of
from crm.connector_poll import Ask, Expired, Page, Poll, PollFailed, Subjects, Throttled, Turn, expect_json
from crm.connector_settings import Country
from crm.facts import ParcelReported
from crm.money import to_minor
from crm.phones import read_phone
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, decode_object, encode
from services.connectors.formats.kyiv_times import kyiv_moment
from services.connectors.formats.values import first, required, text

STATUSES = {
    **dict.fromkeys(("1", "12"), "created"),
    **dict.fromkeys(("4", "41", "5", "6", "101", "104", "112"), "in_transit"),
    **dict.fromkeys(("7", "8", "14", "107"), "arrived"),
    **dict.fromkeys(("9", "10", "11", "106"), "received"),
    **dict.fromkeys(("102", "103", "108"), "returning"),
    **dict.fromkeys(("2", "105", "111"), "failed"),
}  # 3 is a number that was not found: unknown, as every other code
TIMES = ("TrackingUpdateDate", "ActualDeliveryDate", "DateScan", "DateCreated")
PHONE = "The phone of the sender or the recipient of the parcels: with it the service tells sums and the recipient."


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to Nova Poshta."""

    phone: Annotated[str, Meta(description=PHONE, examples=["380501112233"])] = ""
    country: Country = ""


def ask(turn: Turn) -> Ask:
    phone = turn.connection.settings_as(Settings).phone
    documents = [{"DocumentNumber": number, "Phone": phone} for number in turn.subjects]
    call = {"modelName": "TrackingDocument", "calledMethod": "getStatusDocuments"}
    body = {"apiKey": turn.connection.secret.strip(), **call, "methodProperties": {"Documents": documents}}
    return Ask("/v2.0/json/", method="POST", body=encode(body).encode(), headers={"content-type": "application/json"})


def check(page: Page) -> None:
    """Errors come with status 200."""
    expect_json(page)
    errors = page.at("errors") or []
    if page.at("success") is True:
        return
    said = "; ".join(map(str, errors)) if isinstance(errors, list) else str(errors)
    if "api key" in said.lower():
        raise Expired(f"Nova Poshta does not accept the API key: {said[:200]}.")
    if "many requests" in said.lower():
        raise Throttled(f"Nova Poshta asks for patience: {said[:200]}.", 60)
    raise PollFailed(f"Nova Poshta answered with an error: {said[:200]}.")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Reads one document of the answer. What changes without a new status is part of its key."""
    parcel = decode_object(delivery.body)
    number, code = required(parcel, "Number"), required(parcel, "StatusCode")
    doubts = Doubts()
    at = next(filter(None, (moment(parcel, name, doubts) for name in TIMES)), None)
    on_delivery = minor(parcel, doubts, "AfterpaymentOnGoodsCost", "RedeliverySum")
    cost = minor(parcel, doubts, "DocumentCost")
    phone = first(parcel, "PhoneRecipient", "RecipientPhone")
    sent_back = text(parcel, "LastCreatedOnTheBasisDocumentType") == "CargoReturn"
    back = text(parcel, "LastCreatedOnTheBasisNumber") if sent_back else ""
    report = partial(
        ParcelReported,
        service="nova-poshta",
        tracking_number=number,
        status=STATUSES.get(code, "unknown"),
        status_code=code,
        status_text=text(parcel, "Status"),
        changed_at=at,
        reference=text(parcel, "ClientBarcode"),
        phone=read_phone(phone, country_of(connection)) if phone else None,
        cash_on_delivery_minor=on_delivery,
        cost_minor=cost,
        currency="UAH" if on_delivery or cost else "",
        return_number=back,
        expected_at=moment(parcel, "ScheduledDeliveryDate", doubts),
        doubts=tuple(doubts),
    )
    key = f"{number}/{code}/{text(parcel, 'TrackingUpdateDate')}/{back}/{text(parcel, 'ScheduledDeliveryDate')}"
    yield Report(key, number, delivery.received_at if at is None else at, report)


def moment(parcel: Tree, name: str, doubts: Doubts) -> Micros | None:
    return doubts.read(lambda: kyiv_moment(text(parcel, name)), None, f"{name} is not certain")


def minor(parcel: Tree, doubts: Doubts, *names: str) -> int | None:
    """Returns the first of these sums that is more than nothing, in kopecks; None when there is none."""
    for name in names:
        written = text(parcel, name)
        if written and (found := doubts.read(lambda: to_minor(written, "UAH"), None, f"{name} is not certain")):  # noqa: B023  # read at once
            return found
    return None


POLL = Poll(
    "https://api.novaposhta.ua",
    ask,
    parse=parse,
    items=("data",),
    cursor=None,
    subjects=Subjects("parcels", batch=100),
    every=900,
    check=check,
)
