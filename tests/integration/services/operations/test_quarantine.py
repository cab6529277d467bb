"""`crm quarantine` on real Kafka and Postgres: what was not understood is understood once, in order, or discarded."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from crm.adapters.kafka.producer import KafkaLog
from crm.connector import Connection, Delivery, Report, Webhook
from crm.contract.codec import encode
from crm.decisions import decided
from crm.decisions.delivery import NOBODY
from crm.engine import decide_batch as deciding
from crm.envelope import Event, Fact, named_id
from crm.errors import NotYet
from crm.events import ContactCreated, DealOpened, DeliveryNoted, FactQuarantined, QuarantineSettled
from crm.facts import DeliveryQuarantined
from crm.log import Record
from services.cli.commands import quarantine as command
from services.cli.target import target
from services.connectors import CONNECTORS
from services.intake.records import record_of
from services.operations.quarantine.entries import EntryFilter
from services.operations.quarantine.reparsing import HELD
from tests.support import rehearse
from tests.support.quarantine_setup import QuarantineSetup, point_cli_at
from tests.support.scenarios import NOON, form

PHONE = "+380671112233"


def stumbling(_delivery: Delivery, _connection: Connection) -> Iterator[Report]:
    raise KeyError("phone")


@pytest.fixture
def server(kafka_bootstrap: str, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[QuarantineSetup]:
    with QuarantineSetup(kafka_bootstrap, fresh_database_url) as server:
        point_cli_at(monkeypatch, server)
        yield server


def by_an_old_connector(server: QuarantineSetup, *names: str) -> list[DeliveryQuarantined]:
    """Forms that were posted to a connector that stumbled over each."""
    old = replace(CONNECTORS["form"], webhook=Webhook(lambda *_: None, stumbling))
    connection = Connection(server.connection, server.workspace, "form", "secret")
    kept: list[Any] = []
    for name in names:
        headers, body = rehearse.form({"name": name, "phone": PHONE})
        kept += old.read(Delivery(headers, body, NOON), connection)
    server.send(*(record_of(fact) for fact in kept))
    return kept


def poison(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A rule that stumbles over forms of these names, also when they are tried again."""

    def stumbling(case: Any) -> list[Event]:
        content = getattr(case.fact, "fact", b"") or encode(case.fact)
        if type(case.fact).__name__ in ("FormSubmitted", "FactRetried") and any(n.encode() in content for n in names):
            raise ZeroDivisionError("planted")
        return decided(case)

    monkeypatch.setattr(deciding, "decided", stumbling)


def posted(server: QuarantineSetup, name: str) -> Fact:
    fact = form(name, name=name, phones=[PHONE])
    sender = named_id(server.connection, f"sender/{PHONE}")
    meta = changed(fact.meta, id=named_id(server.workspace, name), workspace=server.workspace, stream=sender)
    return changed(fact, meta=changed(meta, source=server.connection))


def statuses(said: Any) -> dict[str, tuple[str, int]]:
    return {one["id"]: (one["status"], one["attempts"]) for one in json.loads(said.stdout)}


def test_what_an_old_connector_could_not_read_a_mended_one_does(
    server: QuarantineSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = by_an_old_connector(server, "Olena", "Olena Koval")
    entries = server.wait_for(2)
    assert [card["id"] for card in entries] == [fact.meta.id for fact in kept]
    assert {card["reason"] for card in entries} == {"form could not read it: KeyError('phone')"}

    with monkeypatch.context() as old:
        old.setitem(CONNECTORS, "form", replace(CONNECTORS["form"], webhook=Webhook(lambda *_: None, stumbling)))
        said = server.crm("reparse", "--connector", "form", "--json", "--actor", "anna")
    assert (said.exit_code, statuses(said)) == (1, {fact.meta.id: ("waiting", 1) for fact in kept})
    assert said.stderr == "2 of them may be people waiting for an answer: `crm quarantine list --leads`.\n"
    leads = json.loads(server.crm("list", "--leads", "--json").stdout)
    assert [(one["id"], one["at_risk"], one["phones"]) for one in leads] == [
        (fact.meta.id, "lead", [PHONE]) for fact in kept
    ]
    assert server.crm("list", "--leads").stdout.count(f" {PHONE} ") == 2

    shown = json.loads(server.crm("show", kept[0].meta.id, "--json").stdout)
    assert (shown["headers"], shown["attempts"]) == ({"content-type": rehearse.form({})[0]["content-type"]}, 1)
    assert shown["body"] == kept[0].raw.body.decode()
    dry = server.crm("reparse", "--all", "--dry-run", "--json")
    assert [one["reason"] for one in json.loads(dry.stdout)] == ["it gives FormSubmitted"] * 2
    assert server.every(ContactCreated) == []
    elsewhere = server.crm("reparse", "--all", "--workspace", named_id(server.workspace, "another"), "--json")
    assert (elsewhere.exit_code, json.loads(elsewhere.stdout)) == (0, [])

    here = ("--workspace", kept[0].meta.workspace)
    said = server.crm("reparse", "--all", *here, "--json", "--actor", "anna")
    assert (said.exit_code, statuses(said)) == (0, {fact.meta.id: ("released", 2) for fact in kept})
    assert [event.name for event in server.every(ContactCreated)] == ["Olena"]  # the oldest came first
    assert [(event.status, event.meta.actor) for event in server.every(QuarantineSettled)] == [("released", "anna")] * 2
    again = server.crm("reparse", kept[0].meta.id, "--json")
    assert json.loads(again.stdout)[0]["reason"] == "It was closed before."


def test_killed_between_the_facts_and_the_verdict_nothing_is_lost_or_doubled(
    server: QuarantineSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bad,) = by_an_old_connector(server, "Olena")
    server.wait_for(1)
    send = KafkaLog.send

    def killed(log: KafkaLog, *records: Record) -> Any:
        if any(value == b"DeliveryReparsed" for record in records for _, value in record.headers):
            raise NotYet("killed")
        return send(log, *records)

    with monkeypatch.context() as dying:
        dying.setattr(KafkaLog, "send", killed)
        assert server.crm("reparse", "--all").exit_code == 1
    assert [card["status"] for card in server.wait_for(1)] == ["waiting"]
    said = server.crm("reparse", "--all", "--json")
    assert statuses(said) == {bad.meta.id: ("released", 1)}
    assert (
        len(server.every(DealOpened)) == len(server.every(ContactCreated)) == len(server.every(QuarantineSettled)) == 1
    )


def test_two_operators_at_once_are_one(server: QuarantineSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, "Oleh")
    server.send(record_of(posted(server, "Oleh")))
    by_an_old_connector(server, "Olena")
    server.wait_for(2)
    monkeypatch.undo()
    point_cli_at(monkeypatch, server)

    async def both() -> list[list[Any]]:
        run = [command.reparsed(target(), EntryFilter(), False, who, True) for who in ("anna", "borys")]
        return await asyncio.gather(*run)

    for outcomes in asyncio.run(both()):
        assert {(one.status, one.attempts) for one in outcomes} == {("released", 1)}
    assert len(server.every(DealOpened)) == 2
    assert len(server.every(QuarantineSettled)) == 2


def test_deliveries_of_one_sender_stay_in_order(server: QuarantineSetup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decided before the first, the second form would have named the contact."""
    poison(monkeypatch, "Olena")
    facts = [posted(server, "Olena"), posted(server, "Olena Koval")]
    server.send(*map(record_of, facts))
    server.wait_for(2)
    monkeypatch.undo()
    point_cli_at(monkeypatch, server)
    with monkeypatch.context() as half_mended:
        poison(half_mended, "Olena")
        said = server.crm("reparse", facts[1].meta.id, facts[0].meta.id, "--json")
    assert said.exit_code == 1
    assert statuses(said) == {facts[0].meta.id: ("waiting", 1), facts[1].meta.id: ("waiting", 0)}
    assert [one["reason"] for one in json.loads(said.stdout)] == [
        "the rule for it failed: ZeroDivisionError('planted')",
        HELD,
    ]
    assert len(server.every(FactQuarantined)) == 2  # what failed again lies there once, not twice
    assert statuses(server.crm("reparse", "--all", "--json")) == {
        facts[0].meta.id: ("released", 2),
        facts[1].meta.id: ("released", 1),
    }
    assert [event.name for event in server.every(ContactCreated)] == ["Olena"]
    tries = [named_id(facts[0].meta.id, "attempt/2"), named_id(facts[1].meta.id, "attempt/1")]
    assert [event.meta.cause for kind in (DealOpened, DeliveryNoted) for event in server.every(kind)] == tries


def test_bytes_that_are_no_fact_are_shown_exactly_and_discarded(server: QuarantineSetup) -> None:
    server.send(Record("crm.intake.forms", b"k", b"\0\xff?"))
    (card,) = [one for one in json.loads(wait_for_nobody(server)) if one["size"] == 3]
    assert (card["workspace"], card["connector"], card["topic"]) == (NOBODY, "kafka", "crm.intake.forms")
    assert server.crm("show", card["id"], "--raw").stdout_bytes == b"\0\xff?"
    shown = json.loads(server.crm("show", card["id"], "--json").stdout)
    assert shown["reason"] == "the record is not framed: it must begin with a zero byte and a schema id"
    assert (shown["type"], shown["body"]) == ("unreadable", f"00000000  {'00 ff 3f':<47}  ..?")
    said = server.crm("discard", card["id"], "--reason", "noise", "--actor", "anna")
    assert (said.exit_code, said.stdout) == (0, f"{card['id']} is discarded.\n")
    (settled,) = server.every(QuarantineSettled)
    assert (settled.status, settled.reason, settled.meta.actor) == ("discarded", "noise", "anna")
    assert server.crm("list", "--nobody").stdout == "Nothing matches in quarantine.\n"


def wait_for_nobody(server: QuarantineSetup) -> str:
    server.workspace, kept = NOBODY, server.workspace
    server.wait_for(1)
    server.workspace = kept
    return str(server.crm("list", "--nobody", "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reparse"], "Say what to reparse: ids, --connector or --all. Nothing was changed."),
        (["list", "--status", "lost"], "There is no status 'lost'. Choose one of waiting, released, discarded, all."),
        (["discard", str(NOBODY), "--reason", " "], "Say with --reason why it is not needed. Nothing was changed."),
        (["show", str(NOBODY)], f"Nothing in quarantine has the id {NOBODY}. Nothing was changed."),
    ],
)
def test_what_cannot_be_done_is_said(server: QuarantineSetup, arguments: list[str], sentence: str) -> None:
    said = server.crm(*arguments)
    assert (said.exit_code, said.stderr) == (1, sentence + "\n")
