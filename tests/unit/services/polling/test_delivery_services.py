"""Delivery services through the role: in batches, each status written once, one wrong number holds up no other."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx

from crm.connector import Connection
from crm.facts import ParcelReported
from services.connectors import CONNECTORS
from services.polling.sources import Source
from tests.support.polling import Answer, Rig, connection_of


class DeliveryRig(Rig):
    @property
    def requests(self) -> list[httpx.Request]:
        return [request for _, request in self.vendor.requests]


def rig_of(name: str, answer: Any, numbers: list[str], secret: str) -> DeliveryRig:
    async def tracked(_connection: Connection, _database_url: str) -> Sequence[str]:
        return numbers

    def find(source: str) -> Source:
        assert source == "parcels"
        return tracked

    poll = CONNECTORS[name].poll
    assert poll
    return DeliveryRig(poll, answer, connection_of(secret=secret), find_source=find)


def reported(rig: Rig) -> list[tuple[str, str]]:
    assert all(isinstance(fact, ParcelReported) for fact in rig.facts)
    return [(fact.tracking_number, fact.status) for fact in rig.facts]


def test_numbers_go_a_hundred_at_a_time_and_a_status_is_written_once() -> None:
    numbers, code = [f"{n:014}" for n in range(101)], "5"

    def answer(request: httpx.Request, _: dict[str, str]) -> Answer:
        given = [one["DocumentNumber"] for one in json.loads(request.content)["methodProperties"]["Documents"]]
        moment = f"2026-09-1{code} 10:00:00"
        data = [{"Number": number, "StatusCode": code, "TrackingUpdateDate": moment} for number in given]
        return 200, {"success": True, "data": data, "errors": []}, {}

    rig = rig_of("nova-poshta", answer, numbers, "k" * 32)
    asyncio.run(rig.forward(1_000))
    sizes = [len(json.loads(request.content)["methodProperties"]["Documents"]) for request in rig.requests]
    assert sizes[:4] == [100, 1, 100, 1]
    assert sorted(reported(rig)) == [(number, "in_transit") for number in numbers]
    code = "9"
    asyncio.run(rig.forward(1_000))
    assert sorted(reported(rig)[101:]) == [(number, "received") for number in numbers]


def test_a_key_that_is_not_accepted_needs_a_person() -> None:
    refusal = {"success": False, "data": [], "errors": ["API key is not valid"]}
    rig = rig_of("nova-poshta", lambda *_: (200, refusal, {}), ["20450000000011"], "k" * 32)
    asyncio.run(rig.forward(1))
    assert "does not accept the API key" in rig.state.problem and rig.facts == []


def test_a_number_that_is_wrong_holds_up_no_other() -> None:
    def answer(request: httpx.Request, _: dict[str, str]) -> Answer:
        if request.url.path.endswith("/auth"):
            return 200, {"status": "OK", "result": {"token": "t-1"}}, {}
        assert request.headers["token"] == "t-1"
        if request.url.path.endswith("/bad"):
            return 200, {"status": "Error", "message": "not found", "result": []}, {}
        return 200, {"status": "OK", "result": [{"eventDateTime": "2026-09-14 10:00:00", "eventCode": "606"}]}, {}

    rig = rig_of("meest", answer, ["bad", "1", "2"], "shop:password")
    asyncio.run(rig.forward(60))
    assert reported(rig) == [("1", "in_transit"), ("2", "in_transit")]


def test_barcodes_that_were_not_handed_in_are_no_problem() -> None:
    """Of a batch of which none was handed in the answer is 404."""
    numbers = [f"{n:013}" for n in range(51)]

    def answer(request: httpx.Request, _: dict[str, str]) -> Answer:
        given = json.loads(request.content)
        if given == numbers[50:]:
            return 404, {"code": "UPE02000", "message": "Shipment not found"}, {}
        found = [{"barcode": given[0], "step": 1, "event": 21700, "date": "2026-03-04T10:20:30"}]
        return 200, {"found": found, "notFound": given[1:]}, {}

    rig = rig_of("ukrposhta", answer, numbers, "bearer")
    asyncio.run(rig.forward(60))
    assert reported(rig) == [(numbers[0], "arrived")] and rig.state.problem == ""
    assert [len(json.loads(request.content)) for request in rig.requests] == [50, 1]
    assert {request.headers["authorization"] for request in rig.requests} == {"Bearer bearer"}
