"""Asks the APIs of vendors over HTTP: time-outs, a limit of size, no redirects, and no host but the declared one."""

import asyncio
import logging
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from crm.activation.answers import VendorAnswer, VendorAway, VendorSaysNo
from crm.activation.requests import VendorRequest
from crm.adapters import public_hosts
from crm.vendor_override import override_of

SECONDS = 15.0  # for one request from beginning to end
KNOWN_SECONDS, KNOWN_TRIES = 2.0, 40  # in which intake reads of a new connection
LONGEST = 1_000_000  # bytes of one answer
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each URL, and some vendors' keys are in theirs


class VendorHttp:
    """A client of the vendors' APIs. Use it as a context manager."""

    def __init__(self, environment: Mapping[str, str] = os.environ, seconds: float = SECONDS) -> None:
        self.environment, self.seconds = environment, seconds
        self.client = httpx.AsyncClient(timeout=seconds, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    def override(self, connector: str) -> str:
        """Returns the base address that stands in for the vendor's in a test; empty outside of tests."""
        return override_of(connector, self.environment)

    async def until_known(self, url: str) -> None:
        """Waits until intake knows the connection of a URL. Returns at once where the URL cannot be reached from here,
        as its vendor may reach it."""
        for _ in range(KNOWN_TRIES):
            try:
                answer = await self.client.get(url, timeout=KNOWN_SECONDS)
            except (httpx.HTTPError, httpx.InvalidURL):
                return
            if answer.status_code != 404:
                return
            await asyncio.sleep(KNOWN_SECONDS / KNOWN_TRIES)

    async def __call__(self, request: VendorRequest) -> VendorAnswer:
        """Returns the vendor's answer. Raises VendorAway, without the URL, which may hold a key."""
        instead = self.override(request.connector)
        try:
            async with asyncio.timeout(self.seconds):
                return await self.send(request, instead)
        except ValueError:  # a host or a key that HTTP cannot hold
            raise VendorSaysNo(f"{request.connector} cannot be asked with what was given: it is no address.") from None
        except TimeoutError:
            raise VendorAway(f"{request.connector} did not answer within {self.seconds:g} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise VendorAway(f"{request.connector} cannot be reached ({type(error).__name__}).") from None

    async def send(self, request: VendorRequest, instead: str) -> VendorAnswer:
        base, headers, extensions = instead or request.base, dict(request.headers), {}
        if not instead and request.any_host:
            parts = urlsplit(base)
            host = parts.hostname or ""
            address = await public_address(request.connector, host, parts.port or 443)
            base = f"https://{f'[{address}]' if ':' in address else address}:{parts.port or 443}{parts.path}"
            headers["host"] = parts.netloc.rpartition("@")[2]
            extensions = {"sni_hostname": host}  # the certificate must be that of the name
        built = self.client.build_request(
            request.method, base + request.target, headers=headers, content=request.body, extensions=extensions
        )
        answer = await self.client.send(built, stream=True)
        try:
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LONGEST:
                    raise VendorAway(f"{request.connector} answered with more than {LONGEST} bytes.")
        finally:
            await answer.aclose()
        return VendorAnswer(answer.status_code, body, answer.headers.get("retry-after", ""))


async def public_address(connector: str, host: str, port: int) -> str:
    """Returns one address of a host that people gave. Raises VendorSaysNo when any address of it is not public."""
    try:
        return await public_hosts.public_address(host, port)
    except public_hosts.NotPublic:
        raise VendorSaysNo(f"{connector} is called at public addresses alone, and {host} is not one.") from None
