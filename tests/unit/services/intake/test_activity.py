"""What comes to a connection is counted in memory, published now and then, and goes on after a restart."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from crm.adapters.kafka.activity import ActivityDirectory
from crm.connection_activity import DAY, HOUR, OUTCOMES, Activity, Outcome
from crm.connector import Connection
from crm.errors import NotYet
from crm.log import Record
from crm.scalars import Micros
from crm.topics import ACTIVITY
from services.intake.activity import ActivityCounts
from tests.support.intake_server import CLOSED, GREETER, NOON, OPEN, WORKSPACE, IntakeServer

BOT = Connection(OPEN, WORKSPACE, "telegram", "s")
MINUTE = HOUR // 60


class RecordingLog:
    """A log that keeps what it is sent, unless it is away."""

    def __init__(self) -> None:
        self.published, self.away = list[Record](), False

    async def send(self, *records: Record) -> None:
        if self.away:
            raise NotYet("Kafka is away.")
        self.published += records

    def missing(self) -> str | None:
        return None


def directory(records: list[Record]) -> ActivityDirectory:
    found = ActivityDirectory()
    for record in records:
        assert record.topic == ACTIVITY.name
        found.take(record.key, record.value)
    return found


def counts(instance: str = "1", at: int = NOON) -> ActivityCounts:
    return ActivityCounts(instance, lambda: Micros(at))


def test_each_answer_is_counted(server: IntakeServer) -> None:
    assert server.post(b"phone=1").status_code == 200
    assert server.post(b"phone=2").status_code == 200
    assert server.post(b"\xff").status_code == 200
    assert server.post(b"phone=1", x_proof="forged").status_code == 401
    assert server.post(b"phone=1", x_crash="1").status_code == 503
    assert server.post(b"phone=1", f"/in/{CLOSED}").status_code == 404
    assert server.send("GET", f"/in/{GREETER}?challenge=x&verify_token=s3cret").status_code == 200
    records = server.app.activity.records()
    assert [record.key for record in records] == [f"{OPEN}/1".encode()]
    assert server.app.activity.records() == []
    assert directory(records).of(OPEN, NOON) == Activity(
        taken=2,
        quarantined=1,
        refused=1,
        failed=1,
        taken_at=NOON,
        quarantined_at=NOON,
        refused_at=NOON,
        failed_at=NOON,
        refusal="The signature does not match. Nothing was kept. Check the secret of this connection.",
    )


REQUESTS = st.lists(st.tuples(st.integers(0, 4 * 24 * 60), st.sampled_from(OUTCOMES)), max_size=30)


@given(REQUESTS, st.integers(0, 30))
def test_a_restart_changes_nothing(requests: list[tuple[int, Outcome]], cut: int) -> None:
    """Whatever came when: published by one process, or by one before and one after a restart."""
    moments = sorted(requests, key=lambda request: request[0])
    end = Micros(NOON + (moments[-1][0] if moments else 0) * MINUTE)
    whole, before = counts(at=end), counts(at=end)
    for minute, outcome in moments:
        whole.note(BOT, outcome, Micros(NOON + minute * MINUTE), "why" if outcome == "refused" else "")
    for minute, outcome in moments[:cut]:
        before.note(BOT, outcome, Micros(NOON + minute * MINUTE), "why" if outcome == "refused" else "")
    published = before.records()
    after = counts(at=end)
    for minute, outcome in moments[cut:]:
        after.note(BOT, outcome, Micros(NOON + minute * MINUTE), "why" if outcome == "refused" else "")
    after.resume(directory(published).counted)
    expected = directory(whole.records()).of(OPEN, end)
    assert directory(published + after.records()).of(OPEN, end) == expected
    within = [outcome for minute, outcome in moments if (NOON + minute * MINUTE) // HOUR * HOUR > end - DAY]
    assert {outcome: getattr(expected, outcome) for outcome in OUTCOMES} == {o: within.count(o) for o in OUTCOMES}


def test_what_is_kept_has_bounds() -> None:
    counted = counts(at=NOON + 100 * HOUR)
    for hour in range(100):
        counted.note(BOT, "refused", Micros(NOON + hour * HOUR), "x" * 10_000)
    (record,) = counted.records()
    assert record.value and len(record.value) < 2_000
    assert len(counted.counts[OPEN].hours) <= 26


def test_what_cannot_be_published_is_published_later() -> None:
    async def story() -> None:
        counted, log = counts(), RecordingLog()
        await counted.publish(log)
        assert log.published == []
        counted.note(BOT, "taken", NOON)
        log.away = True
        await counted.publish(log)
        counted.note(BOT, "taken", NOON)
        log.away = False
        await counted.publish(log)
        await counted.publish(log)
        assert len(log.published) == 1
        assert directory(log.published).of(OPEN, NOON).taken == 2

    asyncio.run(story())


def test_the_last_counts_are_published_at_the_end() -> None:
    async def story() -> None:
        counted, log = counts(), RecordingLog()
        publishing = asyncio.create_task(counted.run(log))
        await asyncio.wait([publishing], timeout=0)
        counted.note(BOT, "taken", NOON)
        publishing.cancel()
        await asyncio.wait([publishing])
        assert directory(log.published).of(OPEN, NOON).taken == 1

    asyncio.run(story())


def test_replicas_that_are_gone_are_forgotten_once_they_say_nothing() -> None:
    """Containers have a new name at each start: what each published stayed forever."""
    late = NOON + 3 * DAY
    gone, other, now_here = counts("a1"), counts("b2", late), counts("c3", late)
    gone.note(BOT, "taken", NOON)
    other.note(BOT, "refused", Micros(late), "why")
    published = gone.records() + other.records()
    assert now_here.stale(directory(published).counted) == []  # it alone knows of the last delivery
    now_here.note(BOT, "taken", Micros(late + 1))
    published += now_here.records()
    stale = now_here.stale(directory(published).counted)
    assert stale == [Record(ACTIVITY.name, f"{OPEN}/a1".encode(), None)]
    before, after = directory(published).of(OPEN, Micros(late)), directory(published + stale).of(OPEN, Micros(late))
    assert before == after


def test_what_cannot_be_read_leaves_what_was_known() -> None:
    counted = counts()
    counted.note(BOT, "taken", NOON)
    found = directory([*counted.records(), Record(ACTIVITY.name, f"{OPEN}/1".encode(), b"broken")])
    assert found.of(OPEN, NOON).taken == 1
