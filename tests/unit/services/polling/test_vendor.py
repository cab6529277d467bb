"""HTTP to vendors: which addresses are asked, and how long a vendor may ask for patience."""

import asyncio
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from crm.adapters.public_hosts import stands_for_public as is_public
from crm.connector import Connection
from crm.connector_poll import SECOND, Ask, Page, Poll, PollFailed
from services.polling.vendor import MAX_PATIENCE, Vendors, patience
from services.polling.vendor_client import pin
from tests.support.polling import NOW, FakeClock, MemoryVendor, Rig, connection_of, parse

PRIVATE = """127.0.0.1 10.1.2.3 192.168.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 ::1 fe80::1%eth0 fd00::1
::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::a00:1 2002:a00:1::"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert is_public("93.184.216.34") and is_public("2606:2800:220:1::1") and is_public("::ffff:93.184.216.34")


@pytest.mark.parametrize("url", ["http://shop.example/x", "https://127.0.0.1/x", "https://[::1]/x"])
def test_an_address_that_a_user_gave_is_not_polled_in_a_private_network(url: str) -> None:
    with pytest.raises(PollFailed):
        asyncio.run(pin(httpx.Request("GET", url)))


def test_a_host_is_resolved_once_and_polled_at_that_address() -> None:
    request = httpx.Request("GET", "https://93.184.216.34:8443/x?y=1")
    asyncio.run(pin(request))
    assert str(request.url) == "https://93.184.216.34:8443/x?y=1"
    assert (request.headers["host"], request.extensions["sni_hostname"]) == ("93.184.216.34:8443", "93.184.216.34")


@pytest.mark.parametrize(
    ("after", "date", "seconds"),
    [
        ("120", None, 120),
        ("0", None, 0),
        ("", None, 0),
        ("soon", None, 0),
        ("-5", None, 0),
        ("9" * 40, None, MAX_PATIENCE),
        (NOW // SECOND + 60, None, 60),
        (NOW // SECOND + 60, NOW // SECOND + 30, 30),
        (NOW // SECOND - 60, None, 0),
    ],
)
def test_retry_after(after: Any, date: int | None, seconds: float) -> None:
    """As seconds and as a date, by the vendor's own clock where it says what time it is."""
    headers = {"retry-after": after if isinstance(after, str) else formatdate(after, usegmt=True)}
    headers |= {"date": formatdate(date, usegmt=True)} if date else {}
    assert patience(Page(Ask(), b"", FakeClock()(), headers)) == seconds


def test_a_next_page_on_another_host_gets_no_key() -> None:
    poll = Poll("https://api.acme.example", lambda _: Ask("https://evil.example/items"), parse=parse)
    rig = Rig(poll, lambda *_: (200, {}, {}))
    asyncio.run(rig.turns.step(rig.account))
    assert rig.vendor.requests == []
    assert rig.state.problem == "The vendor's next page is on another host, https://evil.example: it is not asked."


def test_settings_that_give_no_address_stop_nobody_else() -> None:
    async def test() -> None:
        def base(connection: Connection) -> str:
            return connection.settings["url"]

        good = connection_of(2, "k2", url="https://93.184.216.34")
        rig = Rig(Poll(base, lambda _: Ask("/x"), parse=parse), lambda *_: (200, {}, {}), connection_of(1), good)
        await rig.ask()
        bad, fine = (account.state for account in rig.accounts.accounts.values())
        assert bad.problem == "The settings of this connection give no address to ask. Set them again."
        assert fine.problem == "" and [str(request.url) for _, request in rig.vendor.requests] == [
            "https://93.184.216.34/x"
        ]

    asyncio.run(test())


def test_tests_ask_elsewhere() -> None:
    async def test() -> None:
        rig = Rig(
            Poll("https://api.acme.example/v2", lambda _: Ask("/x", {"a": "1"}), parse=parse), lambda *_: (200, {}, {})
        )
        clock = FakeClock()
        vendors = Vendors(
            clock, {"CRM_VENDOR_URL_ACME": "http://127.0.0.1:9000/"}, MemoryVendor(clock, lambda *_: (200, {}, {}))
        )
        page = await vendors.call(rig.account, Ask("/x", {"a": "1"}), {})
        assert page.url == "http://127.0.0.1:9000/v2/x?a=1"

    asyncio.run(test())


def test_an_answer_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.polling.vendor_client.MAX_BODY", 1_000_000)
    rig = Rig(
        Poll("https://api.acme.example", lambda _: Ask("/x"), parse=parse), lambda *_: (200, b" " * 1_000_001, {})
    )
    asyncio.run(rig.turns.step(rig.account))
    assert rig.state.problem == "The vendor's answer is longer than 1 MB."
    assert connection_of().id in rig.states
