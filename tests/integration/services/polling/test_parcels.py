"""Parcels in Postgres: what a delivery service is asked about, and what the API says of them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from crm.connector import Connection
from crm.envelope import now
from crm.scalars import Id, Micros
from projections.parcel import ParcelRow
from services.polling.sources import source
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import OTHER, SHOP, id_of, insert

DAY = 86_400_000_000


def parcel(number: str, days_ago: int = 0, service: str = "nova-poshta", **known: Any) -> ParcelRow:
    at = Micros(now() - days_ago * DAY)
    times = {"touched_at": at, "created_at": at, "version": 1}
    unknown = {"deal_id": None, "contact_id": None, "status": "in_transit"}
    key = {"parcel_id": id_of(f"parcel {number}"), "service": service, "tracking_number": number}
    return ParcelRow(**{**key, **unknown, **times, **known})


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        with psycopg.connect(api.dsn) as connection:
            of_deal = {"deal_id": id_of("deal 7"), "contact_id": id_of("Olena"), "attached_by": "hand"}
            sums = {"cash_on_delivery_minor": 24950, "currency": "UAH"}
            insert(
                connection,
                SHOP,
                parcel("1", 1, **of_deal, **sums),
                parcel("2", 2, parked=True, candidates=(id_of("deal 7"),)),
                parcel("3", 61),
                parcel("4", tracked=False, status="received"),
                parcel("5", service="meest", returns_id=id_of("parcel 1")),
            )
            insert(connection, OTHER, parcel("6"))
        yield api


def test_a_service_gets_the_numbers_of_what_is_not_over(api: ApiServer) -> None:
    def numbers(workspace: str, service: str) -> list[str]:
        found = source("parcels")(Connection(id_of("c"), Id(workspace), service, "secret"), api.dsn)
        return [*asyncio.run(found)]

    assert numbers(SHOP, "nova-poshta") == ["1", "2"]
    assert (numbers(SHOP, "meest"), numbers(SHOP, "ukrposhta"), numbers(OTHER, "nova-poshta")) == (["5"], [], ["6"])


def test_a_deal_shows_its_parcels_and_a_list_finds_them(api: ApiServer) -> None:
    deal = f'deal(id: "{id_of("deal 7")}")'
    shown = "nodes { trackingNumber status cashOnDelivery { text } cost { text } contact { name } returns { id } }"
    found = api.post({"query": f"{{ {deal} {{ parcels {{ {shown} }} }} }}"}).json()
    assert found["data"]["deal"]["parcels"]["nodes"] == [
        {
            "trackingNumber": "1",
            "status": "in_transit",
            "cashOnDelivery": {"text": "249.50 UAH"},
            "cost": None,
            "contact": {"name": "Olena"},
            "returns": None,
        }
    ]
    for filter, numbers in (
        ('status: "received"', ["4"]),
        ("parked: true", ["2"]),
        ('service: "meest", tracked: true', ["5"]),
        (f'candidate: "{id_of("deal 7")}"', ["2"]),
        ('trackingNumber: "3"', ["3"]),
    ):
        said = api.post({"query": f"{{ parcels({filter}) {{ nodes {{ trackingNumber }} }} }}"}).json()
        assert [node["trackingNumber"] for node in said["data"]["parcels"]["nodes"]] == numbers, said
