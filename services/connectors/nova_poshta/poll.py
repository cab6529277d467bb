"""Nova Poshta: where parcels are, up to a hundred a request (https://developers.novaposhta.ua, TrackingDocument)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, country_of
from crm.connector_poll import Ask, Expired, Page, PollFailed, Throttled, Turn, expect_json, post_json
from crm.connector_settings import Country
from crm.phones import read_phone
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import first, required, text
from services.connectors.parcels import ParcelReading, parcel_poll

STATUSES = meanings(
    created="1 12",
    in_transit="4 41 5 6 101 104 112",
    arrived="7 8 14 107",
    received="9 10 11 106",
    returning="102 103 108",
    failed="2 105 111",
)  # 3 is a number that was not found: unknown, as every other code
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
    return post_json("/v2.0/json/", body)


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
    reading = ParcelReading()
    at = reading.moment(parcel, *TIMES)
    on_delivery = reading.minor(parcel, "AfterpaymentOnGoodsCost", "RedeliverySum")
    cost = reading.minor(parcel, "DocumentCost")
    phone = first(parcel, "PhoneRecipient", "RecipientPhone")
    sent_back = text(parcel, "LastCreatedOnTheBasisDocumentType") == "CargoReturn"
    back = text(parcel, "LastCreatedOnTheBasisNumber") if sent_back else ""
    yield reading.report(
        *(delivery, "nova-poshta", number, STATUSES.get(code, "unknown"), code, at),
        *(code, text(parcel, "TrackingUpdateDate"), back, text(parcel, "ScheduledDeliveryDate")),
        status_text=text(parcel, "Status"),
        reference=text(parcel, "ClientBarcode"),
        phone=read_phone(phone, country_of(connection)) if phone else None,
        cash_on_delivery_minor=on_delivery,
        cost_minor=cost,
        currency="UAH" if on_delivery or cost else "",
        return_number=back,
        expected_at=reading.moment(parcel, "ScheduledDeliveryDate"),
    )


POLL = parcel_poll("https://api.novaposhta.ua", ask, parse=parse, items=("data",), batch=100, every=900, check=check)
