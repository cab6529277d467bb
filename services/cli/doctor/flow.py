"""What `crm doctor` says of the flow: is Postgres as far as Kafka, does the relay lead, does everybody move."""

import asyncio
import time

import psycopg
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from crm.envelope import now
from services.cli.doctor.checks import Finding, Patient
from services.cli.doctor.risks import at_risk
from services.cli.doctor.servers import MUCH_SKEW, same_time
from services.cli.flow import Flow, look

LOOK_AGAIN = 3.0  # seconds in which who has something to take must have taken something
MUCH_QUARANTINE = 100  # deliveries within an hour


async def flows(patient: Patient) -> list[Finding]:
    """Nothing when a server is away or has no tables: others say so. Looks twice when somebody is behind."""
    if not (patient.kafka_bootstrap and patient.database_url):
        return []
    try:
        async with await AsyncConnection.connect(patient.database_url, autocommit=True, connect_timeout=5) as conn:
            before = after = await look(patient.kafka_bootstrap, conn)
            if before.behind() or before.journal_ahead() or not before.leader:
                await asyncio.sleep(LOOK_AGAIN)
                after = await look(patient.kafka_bootstrap, conn)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, KafkaError):
        return []
    return [
        *as_far_as_kafka(before, after),
        *as_far_as_postgres(after),
        *relayed(before, after),
        *moving(before, after),
        *standing(after),
        *quarantined(after),
        *at_risk(after.at_risk, now()),
        *written_in_time(after, time.time()),
    ]


def as_far_as_kafka(before: Flow, after: Flow) -> list[Finding]:
    """A database that was restored or made anew is behind until decide has folded in what it lacks."""
    if not (ahead := after.journal_ahead()):
        return [Finding("restored", True, "Postgres is as far as the journal in Kafka.")]
    count = sum(ahead.values())
    text = f"Postgres is {count:,} events behind the journal in Kafka (partitions {told(ahead)})"
    if count < sum(before.journal_ahead().values()):
        advice = "decide is folding them in: wait, and ask again"
    elif after.compared:
        advice = "It was compared before that: `TRUNCATE core.compared`, then start decide and relay again"
    else:
        advice = "decide folds them in before it decides anything: start it (again)"
    return [Finding("restored", False, f"{text}: it was restored or made anew. {advice}.")]


def as_far_as_postgres(flow: Flow) -> list[Finding]:
    """Events that neither Kafka nor the outbox has."""
    lost = {p: next - flow.journal.get(p, 0) for p, next in flow.heads.items() if next > flow.journal.get(p, 0)}
    if flow.outbox or not lost:
        return []
    text = f"Kafka lacks {sum(lost.values()):,} events that Postgres has given positions (partitions {told(lost)})"
    advice = "the journal's end was lost in Kafka. Stop decide, and load it from an archive (docs/backup.md)"
    return [Finding("journal", False, f"{text}, and the outbox is empty: {advice}.")]


def relayed(before: Flow, after: Flow) -> list[Finding]:
    if after.leader:
        return [Finding("relay", True, f"A relay leads; {after.outbox:,} transactions are in the outbox.")]
    grows = f" and {after.outbox - before.outbox:,} more came while we looked" if after.outbox > before.outbox else ""
    text = f"No relay leads: {after.outbox:,} transactions wait in the outbox{grows}"
    advice = "Nothing is lost, but nothing reaches the read models: start a relay"
    return [Finding("relay", False, f"{text}. {advice}.")]


def moving(before: Flow, after: Flow) -> list[Finding]:
    """Who had something to take when we first looked, and has taken nothing of it since."""
    waited, waiting = before.behind(), after.behind()
    still = {p: lag for p, lag in waiting.items() if p in waited and after.places[p] == before.places[p]}
    if before is after or not still:
        return [Finding("progress", True, f"Every consumer moves; {sum(waiting.values()):,} records are on their way.")]
    names = ", ".join(sorted({consumer for consumer, _, _ in still}))
    text = f"{names}: nothing taken for {LOOK_AGAIN:g} s, though {sum(still.values()):,} records wait"
    advice = "Look at the log of the role; end its process, and the next one goes on from the checkpoints"
    return [Finding("progress", False, f"{text}. {advice}.")]


def standing(flow: Flow) -> list[Finding]:
    """Projections whose fold raised."""
    advice = "The others go on. Mend its fold, then start the project role again: it goes on where it stands."
    found = []
    for consumer, why in sorted(flow.failed.items()):
        place = f" ({flow.events[consumer]})" if flow.events.get(consumer) else ""
        found.append(Finding(consumer, False, f"{consumer} stands still: {why}{place}. {advice}"))
    return found


def quarantined(flow: Flow) -> list[Finding]:
    count, connector, reason = flow.quarantined
    text = f"{count:,} deliveries went into quarantine within an hour"
    if count < MUCH_QUARANTINE:
        return [Finding("quarantine", True, f"{text}.")]
    most = f"most by {connector}: {reason}" if connector else f"most often: {reason}"
    advice = "`crm quarantine list` shows them. Mend what reads them, then `crm quarantine reparse`."
    return [Finding("quarantine", False, f"{text}, {most.rstrip('.')}. {advice}")]


def written_in_time(flow: Flow, now: float) -> list[Finding]:
    """Kafka tells no time but that of its records: one from the future was written by a clock that is wrong."""
    ahead = flow.newest - now
    return same_time("Kafka's writers", ahead) if ahead >= MUCH_SKEW else []


def told(partitions: dict[int, int]) -> str:
    return ", ".join(map(str, sorted(partitions)))
