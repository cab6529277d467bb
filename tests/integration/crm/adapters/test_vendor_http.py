"""Asking vendors over real HTTP: what is not an answer in time, of a sane size, from the declared host, is said."""

import asyncio
import logging
from typing import Any

import pytest

from crm.activation.answers import VendorAnswer, VendorAway, VendorSaysNo
from crm.activation.requests import VendorRequest
from crm.adapters import vendor_http
from crm.adapters.public_hosts import stands_for_public as is_public
from crm.adapters.vendor_http import VendorHttp, public_address
from tests.simulator.servers import served

KEY = "123456789:AAF-secret-of-the-bot"


def request(path: str, **more: Any) -> VendorRequest:
    return VendorRequest("acme", "POST", "https://api.acme.invalid", f"/bot{KEY}{path}", {}, b"{}", **more)


async def vendor(scope: Any, receive: Any, send: Any) -> None:
    """A vendor: /ok answers, /huge never ends, /silent hangs, /redirect sends elsewhere."""
    kind = scope["path"].rpartition("/")[2]
    if kind == "silent":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    headers = [(b"location", b"http://127.0.0.1:1/ok"), (b"retry-after", b"30")]
    status = {"redirect": 302, "busy": 429}.get(kind, 200)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b"x" * 300_000 if kind == "huge" else b'{"ok":true}'
    for _ in range(4 if kind == "huge" else 1):
        await send({"type": "http.response.body", "body": body, "more_body": kind == "huge"})
    if kind == "huge":
        await send({"type": "http.response.body"})


def answer_of(path: str, seconds: float = 10) -> VendorAnswer:
    async def run() -> VendorAnswer:
        async with served(vendor) as address, VendorHttp({"CRM_VENDOR_URL_ACME": f"{address}/acme"}, seconds) as http:
            return await http(request(path))

    return asyncio.run(run())


def test_an_answer_comes_back_as_it_is() -> None:
    assert answer_of("/ok") == VendorAnswer(200, b'{"ok":true}', "30")
    assert answer_of("/busy") == VendorAnswer(429, b'{"ok":true}', "30")


def test_a_new_connection_is_waited_for() -> None:
    """monobank looked at the address before intake had read of the connection, and got a 404."""
    calls: list[str] = []

    async def intake(scope: Any, _receive: Any, send: Any) -> None:
        calls.append(scope["path"])
        await send({"type": "http.response.start", "status": 404 if len(calls) < 3 else 405, "headers": []})
        await send({"type": "http.response.body"})

    async def run() -> None:
        async with served(intake) as address, VendorHttp({}) as http:
            await http.until_known(f"{address}/in/1")
            await http.until_known("http://127.0.0.1:1/in/1")

    asyncio.run(run())
    assert calls == ["/in/1"] * 3


def test_a_redirect_is_not_followed() -> None:
    assert answer_of("/redirect").status == 302


def test_what_never_ends_or_never_comes_is_given_up_without_showing_the_key() -> None:
    with pytest.raises(VendorAway, match=r"^acme answered with more than 1000000 bytes\.$"):
        answer_of("/huge")
    with pytest.raises(VendorAway, match=r"^acme did not answer within 0\.2 s\.$"):
        answer_of("/silent", 0.2)


@pytest.mark.parametrize("base", ["https://shop.example.com:port", f"https://{'x' * 70}.example.com", "https://"])
def test_what_is_no_address_is_a_sentence(base: str) -> None:
    async def run() -> None:
        async with VendorHttp({}) as http:
            await http(VendorRequest("acme", "GET", base, "/", {}, any_host=True))

    with pytest.raises((VendorSaysNo, VendorAway), match=r"^acme "):
        asyncio.run(run())


def test_a_vendor_that_cannot_be_reached_is_said_without_its_url() -> None:
    async def run() -> None:
        async with VendorHttp({"CRM_VENDOR_URL_ACME": "http://127.0.0.1:1"}) as http:
            await http(request("/ok"))

    with pytest.raises(VendorAway, match=r"^acme cannot be reached \(ConnectError\)\.$"):
        asyncio.run(run())


def test_no_key_in_a_url_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """httpx logs each URL at INFO, and the token of a bot is in its URLs."""
    with caplog.at_level(logging.INFO):
        answer_of("/ok")
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.0.0.1",
            "172.16.5.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"),
    ],
)
def test_an_address_of_a_private_or_special_range_is_not_public(address: str) -> None:
    assert not is_public(address)


def test_addresses_of_the_internet_are_public() -> None:
    assert all(map(is_public, ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14")))


def test_a_host_that_a_person_gave_is_called_at_its_public_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of several addresses in a private network is enough to call none."""
    found = {"shop.example.com": ["93.184.215.14"], "inner.example.com": ["93.184.215.14", "10.0.0.1"]}

    async def run() -> None:
        loop = asyncio.get_running_loop()

        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, port)) for address in found[host]]

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        assert await public_address("acme", "shop.example.com", 443) == "93.184.215.14"
        with pytest.raises(VendorSaysNo, match=r"^acme is called at public addresses alone, and inner\.example\.com"):
            await public_address("acme", "inner.example.com", 443)
        sent: list[Any] = []

        async def send(built: Any, stream: bool) -> Any:
            sent.append(built)
            raise vendor_http.httpx.ConnectError("no network here")

        async with VendorHttp({}) as http:
            monkeypatch.setattr(http.client, "send", send)
            shop = VendorRequest("acme", "GET", "https://shop.example.com", "/wp-json", {}, any_host=True)
            with pytest.raises(VendorAway):
                await http(shop)
        (built,) = sent
        assert str(built.url) == "https://93.184.215.14/wp-json"
        assert (built.headers["host"], built.extensions["sni_hostname"]) == ("shop.example.com", "shop.example.com")

    asyncio.run(run())
