"""The harness's own judgement: who has not moved, what is unfinished, which recovery was too slow."""

from dataclasses import replace

import pytest

from crm.topics import DECIDED, JOURNAL
from services.stack.role import ROLES
from tests.chaos.faults import all_faults, faults_named
from tests.chaos.outcome import Recovery, recovery, too_slow
from tests.chaos.progress_probe import Snapshot, in_turn

FORMS, JOURNAL_0 = ("crm.intake.forms", 0), (JOURNAL.name, 0)
ENDS = {(t.name, p): 10 for t in (*DECIDED, JOURNAL) for p in range(t.partitions)}
INTAKE = {(t.name, p): 10 for t in DECIDED for p in range(t.partitions)}
FOLDED = {(JOURNAL.name, p): 10 for p in range(JOURNAL.partitions)}
HEADS = dict.fromkeys(range(JOURNAL.partitions), 9)
DONE = Snapshot(
    at=0.0,
    acked=100,
    ends=ENDS,
    offsets={"decide": INTAKE, "deal_v1": FOLDED},
    positions={"deal_v1": dict.fromkeys(range(JOURNAL.partitions), 8)},
    heads=HEADS,
    waiting=set(),
    failed={},
)


def later(**changed: object) -> Snapshot:
    """A fact more: acknowledged, in Kafka, decided, published and projected, but for what is changed."""
    moved = {
        "acked": 101,
        "ends": ENDS | {FORMS: 11, JOURNAL_0: 11},
        "offsets": {"decide": INTAKE | {FORMS: 11}, "deal_v1": FOLDED | {JOURNAL_0: 11}},
        "heads": HEADS | {0: 10},
    }
    return replace(DONE, **(moved | changed))  # type: ignore[arg-type]  # fields of Look


def test_all_have_moved() -> None:
    assert list(later().stalled(DONE)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"acked": 100}, "intake has acknowledged nothing"),
        (
            {"offsets": {"decide": INTAKE, "deal_v1": FOLDED | {JOURNAL_0: 11}}},
            "decide has not moved in crm.intake.forms/0",
        ),
        (
            {"offsets": {"decide": INTAKE | {FORMS: 11}, "deal_v1": FOLDED}},
            "deal_v1 has not moved in crm.journal/0",
        ),
        ({"ends": ENDS | {FORMS: 11}, "waiting": {0}}, "relay has not moved in crm.journal/0"),
    ],
)
def test_who_has_work_and_has_not_moved_is_named(changed: dict[str, object], said: str) -> None:
    assert list(later(**changed).stalled(DONE)) == [said]


def test_who_was_behind_before_has_to_move_too() -> None:
    """A worker that died with a backlog is not recovered because nothing new came to its partitions."""
    behind = replace(DONE, offsets=DONE.offsets | {"decide": INTAKE | {FORMS: 7}})
    assert list(replace(behind, acked=101).stalled(behind)) == ["decide has not moved in crm.intake.forms/0"]


def test_the_relay_is_waited_for_as_long_as_the_outbox_has_events() -> None:
    """What was committed behind the heads of the first look and was in Kafka before its ends counted as not published
    until the next event of its partition came; what waited at the first look was not waited for."""
    before = replace(DONE, ends=ENDS | {JOURNAL_0: 11})
    assert list(later(ends=ENDS | {FORMS: 11, JOURNAL_0: 11}).stalled(before)) == []
    waits = replace(DONE, waiting={3})
    assert list(replace(waits, acked=101).stalled(waits)) == ["relay has not moved in crm.journal/3"]


def test_after_a_server_one_commit_of_each_is_enough() -> None:
    places = {("crm.intake.forms", 0): 10, ("crm.intake.forms", 1): 10}
    before = replace(DONE, offsets={"decide": places}, ends={**DONE.ends, **dict.fromkeys(places, 20)})
    half = replace(before, acked=101, offsets={"decide": {**places, ("crm.intake.forms", 1): 15}})
    assert list(half.stalled(before)) == ["decide has not moved in crm.intake.forms/0"]
    assert list(half.stalled(before, everywhere=False)) == []
    none = replace(before, acked=101)
    assert next(none.stalled(before, everywhere=False)) == "decide has not moved in crm.intake.forms/0"


def test_what_is_unfinished_is_named() -> None:
    assert list(DONE.unfinished()) == []
    behind = replace(
        DONE,
        offsets={"decide": INTAKE | {FORMS: 7}},
        positions={"deal_v1": DONE.positions["deal_v1"] | {3: 5}},
        failed={"deal_v1": "Raised()"},
    )
    assert list(behind.unfinished()) == [
        "decide is at 7 of 10 in crm.intake.forms/0",
        "deal_v1 is at 6 of 9 in crm.journal/3 and is stopped: Raised()",
    ]


def test_recoveries() -> None:
    assert recovery([]) == Recovery(None, None)
    assert recovery([3.0, 1.0, 9.126]) == Recovery(3.0, 9.13)
    assert too_slow([3.0, 9.0], 10) == too_slow([3.0, 90.0], None) == too_slow([], 10) == []
    assert too_slow([3.0, 10.5, 12.26], 10) == ["2 of 3 recoveries took longer than 10 s, the slowest 12.3 s"]
    waits = in_turn([("the first look", 1.0), ("intake", 1.05), ("decide", 2.0), ("relay", 5.0)], 5.5)
    assert waits == "intake (0.9 s), then decide (3.0 s), then relay (0.5 s)"
    (sentence,) = too_slow([12.26], 10, waits)
    assert sentence.endswith(f"the slowest 12.3 s; waited there for: {waits}")


def test_the_load_lasts_as_long_as_the_fault_needs() -> None:
    (short,), (long,) = faults_named("kill-decide"), faults_named("postgres-away")
    assert (short.lasts, long.lasts) == (25, 80)
    assert [short.pace(2_000, facts) for facts in (100_000, 10_000, 1)] == [2_000, 400, 1]
    assert [long.pace(2_000, facts) for facts in (200_000, 100_000, 1)] == [2_000, 1_250, 1]


def test_every_fault_of_the_promise_is_there() -> None:
    faults = all_faults()
    ended = {f"{how}-{role}{twice}" for how in ("kill", "term") for role in ROLES for twice in ("", "-x2")}
    links = {f"{how}-{r}-{s}" for how in ("cut", "half-open") for r in ROLES for s in ("kafka", "postgres")}
    frozen = {f"freeze-{role}" for role in ("decide", "relay", "project", "outbound")}
    servers = {"kill-kafka", "kafka-away", "kill-postgres", "postgres-away", "old-backup", "postgres-dropped"}
    brokers = {"kill-broker", "lose-broker-disk", "partition-leader-moves"}
    disks = {"slow-disk", "disk-full-postgres", "disk-full-kafka"}
    refused = {"failing-transactions", "serialization-failures", "lost-sessions", "deadlocks"}
    others = {"slow-network", "clock-ahead", "clock-back", "rolling-upgrade", "raising-fold", "poison-fact"}
    links -= {link for link in links if "-intake-" in link or "-api-" in link}
    assert set(faults) == ended | links | frozen | servers | brokers | disks | refused | others | {
        "outbox-grows",
        "rebalance-storm",
    }
    assert all(fault.sentence.endswith(".") for fault in faults.values())


def test_faults_are_chosen_by_name() -> None:
    assert [fault.name for fault in faults_named("kill-relay,kill-kafka")] == ["kill-relay", "kill-kafka"]
    assert len(faults_named("all")) == len(all_faults())
    with pytest.raises(
        ValueError, match=r"^There is no fault kill-cat: `crm chaos --list` shows those that there are\. "
    ):
        faults_named("kill-relay,kill-cat")
