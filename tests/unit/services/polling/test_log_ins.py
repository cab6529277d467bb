"""Refresh tokens that a vendor replaces: kept before they are used, whatever dies, and whatever replica is besides."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from crm.activation.declared import OAuth
from crm.connector_poll import HOUR, SECOND
from crm.contract.codec import encode
from crm.errors import NotYet
from crm.log import Record
from crm.poll_paging import oauth2
from crm.secret_keys import SecretKeys, new_key
from crm.topics import CURSORS
from services.polling.cursors import Cursors
from services.polling.sealed import SealedKeys
from tests.support.polling import Others, Rig, by_time, connection_of

ID = connection_of().id


class Rotating:
    """A vendor that takes each refresh token once and gives the next; `dead`: it takes none. `a<n>` is good until the
    next one."""

    def __init__(self) -> None:
        self.number, self.dead, self.log_ins = 1, False, list[str]()

    def __call__(self, request: httpx.Request, query: dict[str, str]) -> Any:
        if request.url.host != "login.example":
            return (200 if request.headers["authorization"] == f"Bearer a{self.number}" else 401), {"items": []}, {}
        form = dict(parse_qsl(request.content.decode()))
        assert (form["client_id"], form["client_secret"]) == ("id", "pw-of-client")
        self.log_ins.append(form["refresh_token"])
        if self.dead or form["refresh_token"] != f"refresh-{self.number}":
            why = f"{form['refresh_token']} of {form['client_secret']} has ended"
            return 400, {"error": "invalid_grant", "error_description": why}, {}
        self.number += 1
        return 200, {"access_token": f"a{self.number}", "refresh_token": f"refresh-{self.number}", "expires_in": 10}, {}


def rig_of(vendor: Rotating, keys: SecretKeys) -> Rig:
    connection = connection_of(secret="id:pw-of-client:refresh-1")
    poll = by_time(auth=oauth2("https://login.example/token"))
    return Rig(poll, vendor, connection, seal=SealedKeys(keys))


def kept(rig: Rig) -> str:
    seal = rig.accounts.seal
    assert seal
    found = seal.unseal(rig.states[ID].sealed_key, rig.account)
    return found[0] if found else ""


def test_it_is_kept_encrypted_before_it_is_used_and_goes_on_after_a_crash() -> None:
    async def test() -> None:
        vendor = Rotating()
        rig = rig_of(vendor, SecretKeys(new_key()))
        written: list[int] = []
        send = rig.log.send

        async def counted(*records: Record) -> None:
            written.append(len(rig.vendor.requests))
            await send(*records)

        rig.log.send = counted  # type: ignore[method-assign]  # it notes when
        await rig.ask()
        assert written[0] == 1 and kept(rig) == "refresh-2"  # after the log-in, before the first request with the token
        assert b"refresh-2" not in rig.states[ID].sealed_key
        for _ in range(4):
            rig.start()
            assert rig.account.key == f"refresh-{vendor.number}"
            await rig.forward(HOUR)
        assert vendor.log_ins == [f"refresh-{n}" for n in range(1, vendor.number)] and rig.state.problem == ""
        assert vendor.number > 40

    asyncio.run(test())


def test_while_kafka_takes_nothing_it_is_not_used() -> None:
    async def test() -> None:
        vendor = Rotating()
        rig = rig_of(vendor, SecretKeys(new_key()))
        send = rig.log.send

        async def away(*records: Record) -> None:
            raise NotYet("Kafka did not acknowledge.")

        rig.log.send = away  # type: ignore[method-assign]  # a fault
        await rig.ask()
        rig.clock.forward(60)  # the token is over, the key still not kept
        rig.account.due = rig.clock()
        await rig.turns.step(rig.account)
        assert vendor.log_ins == ["refresh-1"] and rig.states == {}
        rig.log.send = send  # type: ignore[method-assign]  # it is back
        rig.clock.forward(5)
        await rig.turns.step(rig.account)
        assert vendor.log_ins == ["refresh-1", "refresh-2"] and kept(rig) == "refresh-3"

    asyncio.run(test())


@pytest.mark.parametrize("how", ["stopped", "left to another replica"])
def test_a_log_in_that_has_begun_comes_to_its_end(how: str) -> None:
    async def test() -> None:
        vendor = Rotating()
        rig = rig_of(vendor, SecretKeys(new_key()))
        rig.schedule.start()
        (task,) = rig.schedule.tasks
        while not rig.turns.log_ins.running:
            await Others()
        if how == "stopped":
            task.cancel()
        else:
            account = rig.account
            cursors = Cursors(lambda: None, settled=rig.turns.log_ins.settled)
            rig.accounts.update({}, rig.states)
            assert account.dropped
            await cursors.on_partitions_revoked(set())
            rig.accounts.update(rig.connections, rig.states)
        await rig.turns.log_ins.settled()
        await asyncio.gather(task, return_exceptions=True)
        assert vendor.log_ins == ["refresh-1"] and kept(rig) == "refresh-2"

    asyncio.run(test())


def test_two_replicas_at_once_both_go_on_with_the_newest() -> None:
    """One of them was frozen while it logged in, and the other took over: the key that it got late is not lost, and
    what it writes later with an older key does no harm."""

    async def test() -> None:
        vendor, keys = Rotating(), SecretKeys(new_key())
        late, rig = rig_of(vendor, keys), rig_of(vendor, keys)
        await late.ask()
        await rig.ask()
        assert vendor.log_ins == ["refresh-1", "refresh-1"] and "invalid_grant" in rig.state.problem
        rig.accounts.hear(late.states[ID])
        await rig.forward(10)
        assert (rig.state.problem, vendor.log_ins[2:]) == ("", ["refresh-2"]) and kept(rig) == "refresh-3"
        before = late.states[ID]
        await rig.log.send(Record(CURSORS.name, ID.encode(), encode(before)))
        assert kept(rig) == "refresh-2"
        rig.accounts.hear(before)
        await rig.forward(400)
        assert vendor.log_ins[3] == "refresh-3" and rig.state.problem == ""
        rig.start()
        assert rig.account.key == f"refresh-{vendor.number}"

    asyncio.run(test())


def test_a_permission_that_has_ended_says_to_log_in_again_and_shows_no_secret() -> None:
    async def test() -> None:
        vendor = Rotating()
        rig = rig_of(vendor, SecretKeys(new_key()))
        connector = rig.account.connector
        object.__setattr__(connector, "oauth", OAuth("https://login.example/auth", "https://login.example/token"))
        vendor.dead = True
        await rig.forward(HOUR)
        assert rig.state.advice == (
            "The vendor does not accept the permission any more. Log in again: "
            f"`crm connect acme --connection {ID} --client-id ID --client-secret SECRET` prints a link to open."
        )
        assert "invalid_grant" in rig.state.problem and "*** of *** has ended" in rig.state.problem
        assert "pw-of-client" not in rig.state.problem and "refresh-1" not in rig.state.problem
        assert [at - rig.vendor.requests[0][0] for at, _ in rig.vendor.requests] == [0, 5 * SECOND]  # then each hour
        vendor.dead, vendor.number = False, 7
        rig.connections = {ID: connection_of(secret="id:pw-of-client:refresh-7")}
        rig.accounts.update(rig.connections, rig.states)
        await rig.ask()
        assert (rig.state.problem, rig.state.advice) == ("", "")

    asyncio.run(test())
