"""What intake answers when the API has a quarantined delivery read again: it reads, and keeps and sends nothing."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from crm.adapters.memory.log import MemoryLog
from crm.connector import Connection, Delivery, clean, quarantined
from crm.contract.codec import decode, encode
from crm.envelope import named_id
from crm.facts import DeliveryDiscarded, DeliveryReparsed, FormSubmitted
from crm.log import Record
from crm.rereads import PATH, Entry, Reread, RereadRequest
from crm.scalars import Id, Micros
from crm.topics import INTAKE, QUARANTINE
from services.connectors import CONNECTORS
from services.intake.app import Intake
from tests.support import rehearse
from tests.support.scenarios import CONNECTION, NOON, SHOP

FORM = Connection(CONNECTION, SHOP, "form", "secret", {"country": "UA"})
HEADERS, BODY = rehearse.form({"name": "Olena", "phone": "067 123 45 67"})
DELIVERY = Delivery(HEADERS, BODY, NOON, "", "")
KEPT = quarantined("form", CONNECTORS["form"].raw(DELIVERY, FORM), DELIVERY, FORM, clean("no phone"))
SAID = "form", "no phone", "text/plain", 9, "ab"
ENTRY = Entry(KEPT.meta.id, SHOP, CONNECTION, *SAID, QUARANTINE.name, 1, 7, "waiting", 0, "", NOON, NOON)


class Role:
    workspace = SHOP


class Directory:
    """Knows the form's connection, and one role's token."""

    def connection(self, id: str) -> Connection | None:
        return FORM if id == CONNECTION else None

    def role(self, text: str) -> Any:
        return Role() if text == "signed" else None

    def token(self, text: str, at: Micros | None = None) -> Any:
        return None

    def missing(self) -> str | None:
        return None

    locked = missing


def reply(content: bytes, authorization: str = "Role signed", method: str = "POST") -> tuple[httpx.Response, MemoryLog]:
    log = MemoryLog()

    async def post() -> httpx.Response:
        intake = Intake(Directory(), log, CONNECTORS, clock=lambda: Micros(NOON + 1))  # type: ignore[arg-type]  # a fake
        async with httpx.AsyncClient(transport=httpx.ASGITransport(intake), base_url="http://intake") as client:
            return await client.request(method, PATH, content=content, headers={"authorization": authorization})

    return asyncio.run(post()), log


def question(workspace: Id = SHOP, discard: str = "") -> bytes:
    record = Record(QUARANTINE.name, b"key", encode(KEPT))
    entry = msgspec.structs.replace(ENTRY, workspace=workspace)
    return msgspec.msgpack.encode(RereadRequest(entry, 0, record, "olena", discard))


def test_the_facts_come_first_and_the_verdict_last() -> None:
    answer, log = reply(question())
    found = msgspec.msgpack.decode(answer.content, type=Reread)
    form, verdict = (decode(record.value or b"") for record in found.records)
    assert (type(form), form.name, found.records[0].topic) == (FormSubmitted, "Olena", INTAKE["forms"].name)
    assert (type(verdict), verdict.quarantine_id, verdict.meta.actor) == (DeliveryReparsed, KEPT.meta.id, "olena")
    assert (found.status, found.summary) == ("released", "it gives FormSubmitted")
    assert found.ids == (form.meta.id, named_id(KEPT.meta.id, "attempt/1"))
    (shown,) = found.facts
    content = msgspec.json.decode(shown.content)
    assert (shown.type, content["name"], "meta" in content, "raw" in content) == (
        "FormSubmitted",
        "Olena",
        False,
        False,
    )
    assert log.records == [], "to read is not to send"


def test_what_is_set_aside_is_not_read() -> None:
    answer, log = reply(question(discard="a test of ours"))
    found = msgspec.msgpack.decode(answer.content, type=Reread)
    (verdict,) = (decode(record.value or b"") for record in found.records)
    assert (type(verdict), verdict.reason) == (DeliveryDiscarded, "a test of ours")
    assert (found.status, found.ids, found.facts) == ("discarded", (verdict.meta.id,), ())
    assert log.records == []


@pytest.mark.parametrize("authorization", ["", "Bearer signed", "Role forged"])
def test_only_roles_of_this_installation_are_answered(authorization: str) -> None:
    answer, _ = reply(question(), authorization)
    assert (answer.status_code, answer.text) == (
        401,
        "Only a role of this installation may send this. Nothing was read.\n",
    )


def test_a_role_reads_its_own_workspace_alone() -> None:
    assert reply(question(named_id(SHOP, "another")))[0].status_code == 401


def test_what_is_no_question_is_refused() -> None:
    assert reply(b"\xc1")[0].status_code == 400
    assert reply(b"", method="GET")[0].status_code == 405
