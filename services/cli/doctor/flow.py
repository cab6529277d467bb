"""Checks of the data flow: Postgres against Kafka's journal, the relay's lead, the progress of every consumer."""

import asyncio
import time

import psycopg
from aiokafka.errors import KafkaError
from psycopg import AsyncConnection

from crm.envelope import now
from services.cli.doctor.checks import Finding, Installation
from services.cli.doctor.risks import at_risk
from services.cli.doctor.servers import MUCH_SKEW, same_time
from services.cli.doctor.snapshot import Snapshot, take_snapshot

LOOK_AGAIN = 3.0  # seconds in which a consumer with lag must have made progress
MUCH_QUARANTINE = 100  # deliveries within an hour


async def flows(installation: Installation) -> list[Finding]:
    """Returns nothing when a server is down or has no tables, which other checks report.

    Takes a second snapshot when something lags.
    """
    if not (installation.kafka_bootstrap and installation.database_url):
        return []
    try:
        async with await AsyncConnection.connect(installation.database_url, autocommit=True, connect_timeout=5) as conn:
            before = after = await take_snapshot(installation.kafka_bootstrap, conn)
            if before.lags() or before.journal_ahead() or not before.leader:
                await asyncio.sleep(LOOK_AGAIN)
                after = await take_snapshot(installation.kafka_bootstrap, conn)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable, KafkaError):
        return []
    return [
        *as_far_as_kafka(before, after),
        *as_far_as_postgres(after),
        *relayed(before, after),
        *moving(before, after),
        *stopped(after),
        *quarantined(after),
        *at_risk(after.at_risk, now()),
        *written_in_time(after, time.time()),
    ]


def as_far_as_kafka(before: Snapshot, after: Snapshot) -> list[Finding]:
    """Whether Postgres knows the whole journal. A restored or new database lags until decide has caught it up."""
    if not (ahead := after.journal_ahead()):
        return [Finding("restored", True, "Postgres is up to date with the journal in Kafka.")]
    count = sum(ahead.values())
    text = f"Postgres is {count:,} events behind the journal in Kafka (partitions {listed(ahead)})"
    if count < sum(before.journal_ahead().values()):
        advice = "decide is catching up: run this again in a while"
    elif after.compared:
        advice = "It was compared with Kafka before that: run `TRUNCATE core.compared`, then restart decide and relay"
    else:
        advice = "decide catches up before it decides anything: start or restart it"
    return [Finding("restored", False, f"{text}: it was restored, or is new. {advice}.")]


def as_far_as_postgres(snapshot: Snapshot) -> list[Finding]:
    """Whether there are events that neither Kafka nor the outbox has."""
    published = snapshot.journal
    lost = {p: next - published.get(p, 0) for p, next in snapshot.heads.items() if next > published.get(p, 0)}
    if snapshot.outbox or not lost:
        return []
    text = f"Kafka lacks {sum(lost.values()):,} events that Postgres has positions for (partitions {listed(lost)})"
    advice = "Kafka lost the end of the journal. Stop decide and load it from an archive (docs/backup.md)"
    return [Finding("journal", False, f"{text}, and the outbox is empty: {advice}.")]


def relayed(before: Snapshot, after: Snapshot) -> list[Finding]:
    if after.leader:
        return [Finding("relay", True, f"A relay is active; {after.outbox:,} transactions are in the outbox.")]
    grows = f", {after.outbox - before.outbox:,} more than a moment ago" if after.outbox > before.outbox else ""
    text = f"No relay is active: {after.outbox:,} transactions wait in the outbox{grows}"
    advice = "Nothing is lost, but nothing new reaches the read models: start a relay"
    return [Finding("relay", False, f"{text}. {advice}.")]


def moving(before: Snapshot, after: Snapshot) -> list[Finding]:
    """Whether each consumer that had a lag in the first snapshot has read something since."""
    first, second = before.lags(), after.lags()
    stuck = {c: lag for c, lag in second.items() if c in first and after.offsets[c] == before.offsets[c]}
    if before is after or not stuck:
        text = f"Every consumer makes progress; {sum(second.values()):,} records are still to be read."
        return [Finding("progress", True, text)]
    names = ", ".join(sorted({consumer for consumer, _, _ in stuck}))
    text = f"{names}: no progress for {LOOK_AGAIN:g} s although {sum(stuck.values()):,} records are waiting"
    advice = "See the role's log. It is safe to end its process: the next one continues from the checkpoints"
    return [Finding("progress", False, f"{text}. {advice}.")]


def stopped(snapshot: Snapshot) -> list[Finding]:
    """Projections that an exception in their fold has stopped."""
    advice = "The others continue. Fix its fold, then restart the project role: it continues from its checkpoint."
    found = []
    for consumer, why in sorted(snapshot.failed.items()):
        event = f" ({snapshot.events[consumer]})" if snapshot.events.get(consumer) else ""
        found.append(Finding(consumer, False, f"{consumer} is stopped: {why}{event}. {advice}"))
    return found


def quarantined(snapshot: Snapshot) -> list[Finding]:
    count, connector, reason = snapshot.quarantined
    text = f"{count:,} deliveries were quarantined within the last hour"
    if count < MUCH_QUARANTINE:
        return [Finding("quarantine", True, f"{text}.")]
    most = f"most of them of {connector}: {reason}" if connector else f"most often: {reason}"
    advice = "`crm quarantine list` shows them. Fix the connector, then run `crm quarantine reparse --all`."
    return [Finding("quarantine", False, f"{text}, {most.rstrip('.')}. {advice}")]


def written_in_time(snapshot: Snapshot, now: float) -> list[Finding]:
    """Whether a record is from the future, which means a wrong clock. Kafka gives no other time than its records'."""
    ahead = snapshot.newest - now
    return same_time("Kafka's producers", ahead) if ahead >= MUCH_SKEW else []


def listed(partitions: dict[int, int]) -> str:
    return ", ".join(map(str, sorted(partitions)))
