"""What `crm doctor` looks at in Kafka and Postgres: do they answer, are they set up, new enough and on time."""

import time

import psycopg
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import ApiVersionRequest

from crm.settings import mask
from services.cli.doctor.checks import Finding, Patient
from services.stack import topics
from services.stack.answers import unreachable

OLDEST_POSTGRES = 170000  # has transaction_timeout, which frees the locks of a frozen worker
FETCH, OLDEST_FETCH = 1, 17  # Kafka tells no version of its own, but of each request: Fetch 17 came with 3.9
MUCH_SKEW = 2.0  # seconds between two clocks


async def kafka_answers(patient: Patient) -> list[Finding]:
    if not patient.kafka_bootstrap:
        return [Finding("kafka", False, "No Kafka is known: start the stack with `crm up`, or set KAFKA_BOOTSTRAP.")]
    if missing := await unreachable(patient.kafka_bootstrap):
        return [Finding("kafka", False, f"{missing}. Look into {patient.data / 'kafka.log'}.")]
    return [
        Finding("kafka", True, f"Kafka answers at {patient.kafka_bootstrap}."),
        *kafka_new_enough(await fetch_version(patient.kafka_bootstrap)),
    ]


async def fetch_version(bootstrap: str) -> int:
    """The newest Fetch request that the broker understands."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        answer = await client.send(client.get_random_node(), ApiVersionRequest())
    finally:
        await client.close()
    return next(int(newest) for key, _, newest in answer.api_versions if key == FETCH)


def kafka_new_enough(fetch: int) -> list[Finding]:
    if fetch >= OLDEST_FETCH:
        return []
    return [Finding("kafka", False, "This Kafka is older than 3.9. Potik is tried on 4.1: upgrade the broker.")]


async def topics_fit(patient: Patient) -> list[Finding]:
    if not patient.kafka_bootstrap:
        return []
    wrong = await topics.differences(patient.kafka_bootstrap)
    return [Finding("topics", False, text) for text in wrong] or [Finding("topics", True, "All are as declared.")]


async def postgres_answers(patient: Patient) -> list[Finding]:
    from projections import PROJECTIONS

    if not patient.database_url:
        return [Finding("postgres", False, "No Postgres is known: start the stack with `crm up`, or set DATABASE_URL.")]
    wanted = ["core.checkpoint", *(f"read.{projection.table}" for projection in PROJECTIONS.values())]
    try:
        async with await psycopg.AsyncConnection.connect(patient.database_url, connect_timeout=5) as conn:
            query = "SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NULL"
            missing = [name for (name,) in await (await conn.execute(query, [wanted])).fetchall()]
            version, name = conn.info.server_version, conn.info.parameter_status("server_version") or ""
            asked = time.time()
            ((there,),) = await (await conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8")).fetchall()
            here = (asked + time.time()) / 2
    except psycopg.OperationalError as error:
        text = f"Postgres does not answer at {mask(patient.database_url)}: {str(error).strip()}"
        return [Finding("postgres", False, f"{text}. Look into {patient.data / 'postgres.log'}.")]
    told = postgres_new_enough(version, name) + same_time("Postgres", there - here)
    if missing:
        return [
            Finding("postgres", False, f"These tables are missing: {', '.join(missing)}. `crm up` makes them."),
            *told,
        ]
    return [Finding("postgres", True, f"Postgres {name} answers and has its {len(wanted)} tables."), *told]


def postgres_new_enough(version: int, name: str) -> list[Finding]:
    """`version` as Postgres counts: 170004 is 17.4."""
    if version >= OLDEST_POSTGRES:
        return []
    why = "before 17 a worker that freezes in a transaction holds up all others"
    return [Finding("postgres", False, f"Postgres {name} is too old: {why}. Upgrade it to 17 or newer.")]


def same_time(whose: str, ahead: float) -> list[Finding]:
    """`ahead`: seconds that the other clock is before this machine's."""
    if abs(ahead) < MUCH_SKEW:
        return [Finding("clock", True, f"The clock of {whose} and this machine's agree.")]
    text = f"The clock of {whose} is {abs(ahead):,.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's."
    return [Finding("clock", False, f"{text} Times in events and lags are wrong by as much: set both clocks (NTP).")]
