"""`crm bench ring`: an exchange asks intake who is calling, and intake the API, with a million contacts."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from crm.secret_keys import VARIABLE, SecretKeys, new_key
from services.stack.access import declare_connection
from services.stack.ports import LOCAL
from tests.bench.bench_servers import BenchServers, Program, bench_servers, running, scratch_folder
from tests.bench.lookups import WARM_UP, Say, callers, fill_database
from tests.bench.machine import machine
from tests.bench.paced_queries import Post, paced_posts

GOAL = 20.0  # milliseconds within which 99 of 100 are answered
EXCHANGE = "binotel"  # it waits for the answer
HEADERS = "Content-Type: application/x-www-form-urlencoded\r\n"


class Intake(Program):
    """Our intake, as `crm up` runs it."""

    async def ready(self) -> str | None:
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"http://{LOCAL}:{self.port}/readyz")
        except httpx.HTTPError:
            return "intake does not answer"
        return None if answer.status_code == 200 else answer.text


async def ring(contacts: int, rate: int, seconds: int, say: Say) -> dict[str, Any]:
    """Nine of ten numbers are known; each is written in a random spelling."""
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers:
            say(f"making {contacts} contacts and {contacts // 5} deals")
            await asyncio.to_thread(fill_database, servers.dsn, servers.workspace, contacts)
            return await measure_rings(servers, folder, contacts, rate, seconds, say)


async def measure_rings(
    servers: BenchServers, folder: Path, contacts: int, rate: int, seconds: int, say: Say
) -> dict[str, Any]:
    key = new_key()
    connection = await declare_connection(
        servers.bootstrap, servers.workspace, EXCHANGE, "exchange", keys=SecretKeys(key)
    )
    api = servers.api(folder, **{VARIABLE: key})
    environment = {"KAFKA_BOOTSTRAP": servers.bootstrap, "CRM_LOG_LEVEL": "warning", VARIABLE: key}
    environment["CRM_API_URL"] = f"http://{LOCAL}:{api.port}"
    intake = Intake("intake", [sys.executable, "-m", "services.intake"], folder, environment)
    async with running(api, intake):
        address, posts = f"http://{LOCAL}:{intake.port}/in/{connection}", rings(contacts)
        await paced_posts(address, HEADERS, posts, rate, WARM_UP)
        say(f"ringing {rate} times a second for {seconds} s")
        found = await paced_posts(address, HEADERS, posts, rate, seconds)
    settings = {"contacts": contacts, "deals": contacts // 5, "rate": rate, "seconds": seconds}
    met = found["p99_ms"] < GOAL and not found["wrong"]
    if not found["wrong"]:
        del found["first_wrong"]
    return {
        **{"benchmark": "ring", "machine": machine(), "settings": settings},
        **{**found, "goal_p99_ms": GOAL, "goals_met": met},
    }


def rings(contacts: int) -> Iterator[Post]:
    for n, (variables, _) in enumerate(callers(contacts)):
        yield question(n, variables["phone"], contacts)


def question(number: int, phone: str, contacts: int) -> Post:
    digits = "".join(filter(str.isdigit, phone))[-7:]
    known = int(digits) < contacts

    def check(body: bytes) -> str:
        shown = json.loads(body).get("customerData")
        return "" if bool(shown) == known else f"{phone} -> {body.decode()}"

    form = {"requestType": "apiCallSettings", "generalCallID": number, "externalNumber": phone}
    return urlencode(form).encode(), check
