"""History out of real Kafka, an archive, and a mix of both is one history; and into real Postgres."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from crm.adapters.archive.container import ArchivedRecord
from crm.errors import Broken
from crm.topics import JOURNAL
from services.cli import app
from services.stack.topics import create_missing
from streams.rebuild.projection_file import projections_in
from streams.rebuild.read import mixed_source
from streams.rebuild.read.kafka_source import KafkaSource, ReadPosition
from streams.replay import replay, runner, targets
from tests.support.first_quarter import archive, quarter, records
from tests.support.tools import ROOT

DOCS = ROOT / "docs" / "replay"
EVENTS = quarter(25)
DEALS = projections_in(DOCS / "template.py")["deal_value"]
STAGES = projections_in(DOCS / "stages.py")["stage_entered"]
RICH = """
from crm import Id, Json, Micros, Row, projection
from crm.events import DealOpened

class RichRow(Row, frozen=True, gc=False):
    deal_id: Id
    words: tuple[str, ...]
    fields: Json
    empty: str
    nothing: str | None
    yes: bool
    at: Micros

@projection(key="deal_id", version=1)
def rich(row: None, event: DealOpened) -> RichRow | None:
    words = ("a", 'b"', "c,{}", "d\\\\", "", "Ї")
    return RichRow(event.deal_id, words, {"size": '"L"', "n": "7"}, "", None, True, event.meta.occurred_at)
"""


def with_repeats() -> dict[int, list[ArchivedRecord]]:
    """In each partition a relay that died sent three records once more."""
    found = {}
    for partition, every in records(EVENTS).items():
        cut = max(1, len(every) // 2)
        again = [*every[:cut], *every[max(0, cut - 3) : cut], *every[cut:]]
        found[partition] = [record._replace(offset=at) for at, record in enumerate(again)]
    return found


async def publish(bootstrap: str, topic: str, parts: Mapping[int, Sequence[ArchivedRecord]]) -> None:
    await create_missing(bootstrap, topics=[replace(JOURNAL, name=topic)])
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
        for partition, every in parts.items():
            for r in every:
                rest = {"timestamp_ms": r.timestamp, "headers": list(r.headers)}
                await producer.send(topic, r.value, r.key, partition, **rest)


@pytest.fixture(scope="module")
def journal(kafka_bootstrap: str) -> dict[str, Any]:
    """A topic that holds it all."""
    topic = f"journal-{uuid4().hex[:8]}"
    asyncio.run(publish(kafka_bootstrap, topic, with_repeats()))
    return {"kafka": kafka_bootstrap, "topic": topic}


def some(tmp_path: Path, share: float) -> Path:
    """An archive that ends there."""
    parts = {p: every[: int(len(every) * share)] for p, every in with_repeats().items()}
    return archive(tmp_path / f"archive {share}", {p: every for p, every in parts.items() if every}, 2)


def test_kafka_an_archive_and_a_mix_give_the_same_rows(journal: dict[str, Any], tmp_path: Path) -> None:
    whole, parts = some(tmp_path, 1), [some(tmp_path, share) for share in (0.2, 0.5, 0.8)]
    for projection in (DEALS, STAGES):
        wanted = replay(projection, archive=whole)
        assert wanted.height > 25
        assert replay(projection, **journal).equals(wanted)
        for part in parts:
            assert replay(projection, archive=part, tail=True, **journal).equals(wanted)
        assert replay(projection, archive=whole, tail=True, **journal).equals(wanted)


@pytest.mark.parametrize(("beyond", "count"), [(1, -1), (-1, 1)])
def test_a_joint_at_the_wrong_place_would_be_seen(
    journal: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beyond: int, count: int
) -> None:
    """Two planted bugs that the comparison finds: Kafka is read one event too late or too early in each partition."""

    class Wrong(KafkaSource):
        def __init__(
            self, bootstrap: str, topic: str, begins: Mapping[int, ReadPosition], until: Mapping[int, int]
        ) -> None:
            moved = {p: ReadPosition(begin.offset - 10, begin.position + beyond) for p, begin in begins.items()}
            super().__init__(
                bootstrap, topic, {p: moved[p]._replace(offset=max(0, moved[p].offset)) for p in moved}, until
            )

    folder = some(tmp_path, 0.5)
    wanted = replay(STAGES, archive=folder, tail=True, **journal)
    monkeypatch.setattr(mixed_source, "KafkaSource", Wrong)
    found = replay(STAGES, archive=folder, tail=True, **journal)
    assert (found.height - wanted.height) * count > 0


def test_the_archive_of_another_kafka_is_refused(journal: dict[str, Any], tmp_path: Path) -> None:
    others = {p: [r._replace(timestamp=r.timestamp + 1) for r in every] for p, every in with_repeats().items()}
    folder = archive(tmp_path / "other", {p: every[: len(every) // 2] for p, every in others.items() if len(every) > 1})
    with pytest.raises(Broken, match=r"is not the archive's: this is the archive of another Kafka"):
        replay(DEALS, archive=folder, tail=True, **journal)


def test_the_command_reads_kafka_in_several_processes(journal: dict[str, Any], tmp_path: Path) -> None:
    options = {"kafka": journal["kafka"], "topic": journal["topic"], "workers": 2}
    done = runner.replay_into(
        DOCS / "stages.py",
        lambda found: targets.ParquetTarget(found, tmp_path / "x.parquet"),
        lambda _: None,
        **options,
    )
    assert done.rows == {"stage_entered": replay(STAGES, **journal).height}


def test_rows_into_postgres(fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    (tmp_path / "rich.py").write_text(RICH)
    old = archive(tmp_path / "archive", records(EVENTS))

    def run(*more: str) -> Any:
        command = ["replay", str(tmp_path / "rich.py"), "--archive", str(old), "--to", "postgres", *more]
        return CliRunner().invoke(app, command)

    query = "SELECT count(*), min(words), min(fields::text), min(empty), max(nothing), bool_and(yes) FROM replays.rich"
    expected = (32, ["a", 'b"', "c,{}", "d\\", "", "Ї"], '{"n": 7, "size": "L"}', "", None, True)
    for _ in range(2):  # the second takes the place of the first
        done = run()
        assert done.exit_code == 0, done.output
        with psycopg.connect(fresh_database_url) as conn:
            assert conn.execute(query).fetchone() == expected
            first = conn.execute("SELECT min(at) AT TIME ZONE 'UTC' FROM replays.rich").fetchone()
            assert str(first) == "(datetime.datetime(2026, 1, 1, 12, 0),)"
    (tmp_path / "rich.py").write_text(RICH.replace('"", None', '"\\0", None'))
    done = run()
    assert done.exit_code == 1
    assert "The tables of replays were not changed" in done.stderr
    with psycopg.connect(fresh_database_url) as conn:
        assert conn.execute(query).fetchone() == expected
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'replays'").fetchall()
        assert tables == [("rich",)]
    assert "The schema read is not for replays" in run("--schema", "read").stderr
