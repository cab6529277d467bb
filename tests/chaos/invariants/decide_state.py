"""Decide's tables equal a fold of the journal: state, facts seen and next positions."""

from collections.abc import Iterable
from typing import Any

import msgspec
from psycopg import Connection

from crm.decisions.case import Entity
from crm.engine.in_memory import rebuilt
from crm.scalars import Id
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation

FETCH = 10_000  # rows
States = dict[Id, dict[tuple[str, str], Entity]]  # by workspace, then by kind and key


def heads(conn: Connection[Any], journal: Journal) -> list[str]:
    return compare_heads(journal.heads, conn.execute("SELECT partition, next FROM core.journal_head"))


def compare_heads(wanted: dict[int, int], stored: Iterable[tuple[int, int]]) -> list[str]:
    has = dict(stored)
    wrong = [
        f"{partition} has {has.get(partition)}, Kafka {next}"
        for partition, next in wanted.items()
        if has.get(partition) != next
    ]
    return violation("partitions have another next position in core.journal_head", wrong)


def facts_seen(conn: Connection[Any], journal: Journal) -> list[str]:
    query = b"SELECT fact_id::text FROM core.fact_seen"
    return compare_facts_seen({event.meta.cause for event in journal.events}, (id for (id,) in rows(conn, query)))


def compare_facts_seen(causes: set[Id], stored: Iterable[Id]) -> list[str]:
    """Removes from `causes` what it finds."""
    silent = []
    for id in stored:
        if id in causes:
            causes.remove(id)
        else:
            silent.append(id)
    return [
        *violation("causes in the journal are not in core.fact_seen", [*causes]),
        *violation("facts of core.fact_seen have no event in the journal", silent),
    ]


def state(conn: Connection[Any], journal: Journal) -> list[str]:
    try:
        states = rebuilt(journal.events)
    except Exception as error:  # a torn stream, said in the fold's own words
        return [f"The journal cannot be folded into the state: {error!r}"]
    return compare_state(states, rows(conn, b"SELECT workspace::text, key, value::text FROM core.state"))


def compare_state(states: States, stored: Iterable[tuple[Id, str, str]]) -> list[str]:
    """Removes from `states` what it finds."""
    strange, different = [], []
    for workspace, name, text in stored:
        kind, _, key = name.partition("/")
        wanted = states.get(workspace, {}).pop((kind, key), None)
        if wanted is None:
            strange.append(name)
        elif (has := msgspec.json.decode(text, type=type(wanted))) != wanted:
            different.append(f"{name} is {has!r:.120}, not {wanted!r:.120}")
    missing = [f"{kind}/{key}" for things in states.values() for kind, key in things]
    return [
        *violation("things are missing in core.state", missing),
        *violation("things in core.state follow from no event", strange),
        *violation("things in core.state are not what the journal gives", different),
    ]


def rows(conn: Connection[Any], query: bytes) -> Iterable[Any]:
    with conn.cursor("stored") as cursor:
        cursor.itersize = FETCH
        yield from cursor.execute(query)
