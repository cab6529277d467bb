"""Checks of Kafka and Postgres: whether they answer, are set up, are new enough, and have the right time."""

import time

import psycopg
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import ApiVersionRequest

from crm.adapters.kafka.address import client_options, servers_of
from crm.settings import mask
from services.cli.doctor.checks import Finding, Installation
from services.stack import topics
from services.stack.kafka_probe import why_unreachable

OLDEST_POSTGRES = 170000  # the first with transaction_timeout, which frees the locks of a frozen worker
FETCH, OLDEST_FETCH = 1, 17  # Kafka reports no version of its own, only of each request: Fetch 17 came with 3.9
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
MUCH_SKEW = 2.0  # seconds between two clocks


async def kafka_answers(installation: Installation) -> list[Finding]:
    if not installation.kafka_bootstrap:
        text = "No Kafka is configured: start the stack with `crm up`, or set KAFKA_BOOTSTRAP."
        return [Finding("kafka", False, text)]
    if missing := await why_unreachable(installation.kafka_bootstrap):
        return [Finding("kafka", False, f"{missing}. See {installation.data / 'kafka.log'}.")]
    return [
        Finding("kafka", True, f"Kafka answers at {servers_of(installation.kafka_bootstrap)}."),
        *kafka_new_enough(await fetch_version(installation.kafka_bootstrap)),
    ]


async def fetch_version(bootstrap: str) -> int:
    """Returns the newest version of the Fetch request that the broker supports."""
    client = AIOKafkaClient(**client_options(bootstrap))
    await client.bootstrap()
    try:
        answer = await client.send(client.get_random_node(), ApiVersionRequest())
    finally:
        await client.close()
    return next(int(newest) for key, _, newest in answer.api_versions if key == FETCH)


def kafka_new_enough(fetch: int) -> list[Finding]:
    if fetch >= OLDEST_FETCH:
        return []
    return [Finding("kafka", False, "This Kafka is older than 3.9. Potik is tested with 4.1: upgrade the broker.")]


async def topics_fit(installation: Installation) -> list[Finding]:
    if not installation.kafka_bootstrap:
        return []
    wrong = await topics.differences(installation.kafka_bootstrap)
    fine = Finding("topics", True, "All topics are as declared.")
    return [Finding("topics", False, text) for text in wrong] or [fine]


async def postgres_answers(installation: Installation) -> list[Finding]:
    from projections import PROJECTIONS

    if not installation.database_url:
        text = "No Postgres is configured: start the stack with `crm up`, or set DATABASE_URL."
        return [Finding("postgres", False, text)]
    wanted = ["core.checkpoint", *(f"read.{projection.table}" for projection in PROJECTIONS.values())]
    try:
        async with await psycopg.AsyncConnection.connect(installation.database_url, connect_timeout=5) as conn:
            query = "SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NULL"
            missing = [name for (name,) in await (await conn.execute(query, [wanted])).fetchall()]
            version, name = conn.info.server_version, conn.info.parameter_status("server_version") or ""
            before = time.time()
            ((postgres_time,),) = await (await conn.execute(CLOCK)).fetchall()
            own_time = (before + time.time()) / 2
    except psycopg.OperationalError as error:
        text = f"Postgres does not answer at {mask(installation.database_url)}: {str(error).strip()}"
        return [Finding("postgres", False, f"{text}. See {installation.data / 'postgres.log'}.")]
    found = postgres_new_enough(version, name) + same_time("Postgres", postgres_time - own_time)
    if missing:
        text = f"These tables are missing: {', '.join(missing)}. `crm up` creates them."
        return [Finding("postgres", False, text), *found]
    return [Finding("postgres", True, f"Postgres {name} answers and has all {len(wanted)} tables."), *found]


def postgres_new_enough(version: int, name: str) -> list[Finding]:
    """`version` is Postgres's number: 170004 is 17.4."""
    if version >= OLDEST_POSTGRES:
        return []
    why = "before 17, a worker that freezes inside a transaction blocks all others"
    return [Finding("postgres", False, f"Postgres {name} is too old: {why}. Upgrade it to 17 or newer.")]


def same_time(whose: str, ahead: float) -> list[Finding]:
    """`ahead`: seconds by which the other clock is ahead of this machine's."""
    if abs(ahead) < MUCH_SKEW:
        return [Finding("clock", True, f"The clock of {whose} and this machine's agree.")]
    text = f"The clock of {whose} is {abs(ahead):,.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's."
    advice = "Times in events and lags are off by as much: synchronize both clocks (NTP)."
    return [Finding("clock", False, f"{text} {advice}")]
