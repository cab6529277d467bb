"""Each thing that `crm doctor` may find: the fault is planted, the sentence asserted; when all is well it says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.cli.doctor import checks
from services.cli.doctor import flow as flow_checks
from services.cli.doctor import servers as server_checks
from services.cli.doctor import zones as zone_checks
from services.cli.doctor.checks import Finding, Patient
from services.cli.flow import Flow
from services.stack.state import PartState, StackState

FORMS, DEAL, CONTACT = (
    ("decide", "crm.intake.forms", 0),
    ("deal_v1", "crm.journal", 3),
    ("contact_v1", "crm.journal", 3),
)
WHY = "ZeroDivisionError('planted') deal at DealAssigned 6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a01"
NOW = 1_800_000_000.0


def flow(**told: Any) -> Flow:
    """All is well, but for what is told."""
    well: dict[str, Any] = {
        "journal": {0: 10, 3: 42},
        "heads": {0: 10, 3: 42},
        "heads_after": {0: 10, 3: 42},
        "places": {FORMS: 7, DEAL: 42, CONTACT: 42},
        "ends": {FORMS[1:]: 7, DEAL[1:]: 42},
        "newest": NOW - 5,
    }
    return Flow(**(well | told))


def said(findings: list[Finding], ok: bool = False) -> str:
    """The one sentence, of the kind expected."""
    (finding,) = findings
    assert finding.ok is ok
    return finding.sentence


def test_when_all_is_well_it_says_so() -> None:
    well = flow()
    assert [
        *flow_checks.as_far_as_kafka(well, well),
        *flow_checks.as_far_as_postgres(well),
        *flow_checks.relayed(well, well),
        *flow_checks.moving(well, well),
        *flow_checks.standing(well),
        *flow_checks.quarantined(well),
        *flow_checks.written_in_time(well, NOW),
        *server_checks.kafka_new_enough(17),
        *server_checks.postgres_new_enough(170000, "17.0"),
        *server_checks.same_time("Postgres", -1.9),
    ] == [
        Finding("restored", True, "Postgres is as far as the journal in Kafka."),
        Finding("relay", True, "A relay leads; 0 transactions are in the outbox."),
        Finding("progress", True, "Every consumer moves; 0 records are on their way."),
        Finding("quarantine", True, "0 deliveries went into quarantine within an hour."),
        Finding("clock", True, "The clock of Postgres and this machine's agree."),
    ]


def test_a_restored_database_that_nobody_heals() -> None:
    behind = flow(heads={0: 4}, heads_after={0: 4}, compared=False)
    assert said(flow_checks.as_far_as_kafka(behind, behind)) == (
        "Postgres is 48 events behind the journal in Kafka (partitions 0, 3): it was restored or made anew. "
        "decide folds them in before it decides anything: start it (again)."
    )


def test_a_database_restored_under_a_running_server() -> None:
    behind = flow(heads_after={0: 10, 3: 41})
    assert said(flow_checks.as_far_as_kafka(behind, behind)) == (
        "Postgres is 1 events behind the journal in Kafka (partitions 3): it was restored or made anew. "
        "It was compared before that: `TRUNCATE core.compared`, then start decide and relay again."
    )


def test_a_restored_database_that_is_being_healed() -> None:
    before, after = flow(heads_after={0: 4}), flow(heads_after={0: 10, 3: 40})
    assert said(flow_checks.as_far_as_kafka(before, after)) == (
        "Postgres is 2 events behind the journal in Kafka (partitions 3): it was restored or made anew. "
        "decide is folding them in: wait, and ask again."
    )


def test_a_journal_that_lost_its_end() -> None:
    lost = flow(journal={0: 10, 3: 40})
    assert said(flow_checks.as_far_as_postgres(lost)) == (
        "Kafka lacks 2 events that Postgres has given positions (partitions 3), and the outbox is empty: the journal's "
        "end was lost in Kafka. Stop decide, and load it from an archive (docs/backup.md)."
    )


def test_events_that_still_lie_in_the_outbox_are_not_lost() -> None:
    assert flow_checks.as_far_as_postgres(flow(journal={0: 10, 3: 40}, outbox=2)) == []


def test_an_outbox_that_grows_while_no_relay_leads() -> None:
    before, after = flow(outbox=5, leader=False), flow(outbox=1205, leader=False)
    assert said(flow_checks.relayed(before, after)) == (
        "No relay leads: 1,205 transactions wait in the outbox and 1,200 more came while we looked. "
        "Nothing is lost, but nothing reaches the read models: start a relay."
    )


def test_a_consumer_that_takes_nothing() -> None:
    before = flow(places={FORMS: 7, DEAL: 40, CONTACT: 40})
    after = flow(places={FORMS: 7, DEAL: 40, CONTACT: 42}, ends={FORMS[1:]: 9, DEAL[1:]: 50})
    assert said(flow_checks.moving(before, after)) == (
        "deal_v1: nothing taken for 3 s, though 10 records wait. "
        "Look at the log of the role; end its process, and the next one goes on from the checkpoints."
    )


def test_who_is_behind_and_moves_is_well() -> None:
    before, after = flow(places={DEAL: 10}), flow(places={DEAL: 20})
    assert said(flow_checks.moving(before, after), ok=True) == "Every consumer moves; 22 records are on their way."


def test_a_projection_that_stands_still_is_told_once_with_its_place() -> None:
    stuck = flow(places={DEAL: 40}, failed={"deal_v1": WHY}, events={"deal_v1": "partition 3, position 41"})
    assert said(flow_checks.standing(stuck)) == (
        f"deal_v1 stands still: {WHY} (partition 3, position 41). The others go on. "
        "Mend its fold, then start the project role again: it goes on where it stands."
    )
    assert said(flow_checks.moving(stuck, flow(places={DEAL: 40}, failed={"deal_v1": WHY})), ok=True)


def test_quarantine_above_the_limit() -> None:
    assert said(flow_checks.quarantined(flow(quarantined=(99, "tiny", "bad"))), ok=True)
    assert said(flow_checks.quarantined(flow(quarantined=(100, "binotel", "no call id")))) == (
        "100 deliveries went into quarantine within an hour, most by binotel: no call id. "
        "`crm quarantine list` shows them. Mend what reads them, then `crm quarantine reparse`."
    )


def test_a_record_from_the_future() -> None:
    assert said(flow_checks.written_in_time(flow(newest=NOW + 3600), NOW)) == (
        "The clock of Kafka's writers is 3,600.0 s ahead of this machine's. "
        "Times in events and lags are wrong by as much: set both clocks (NTP)."
    )


@pytest.mark.parametrize(("ahead", "word"), [(86_400.0, "86,400.0 s ahead of"), (-2.0, "2.0 s behind")])
def test_clocks_that_differ(ahead: float, word: str) -> None:
    assert said(server_checks.same_time("Postgres", ahead)) == (
        f"The clock of Postgres is {word} this machine's. "
        "Times in events and lags are wrong by as much: set both clocks (NTP)."
    )


def test_servers_that_are_too_old() -> None:
    assert said(server_checks.postgres_new_enough(160004, "16.4")) == (
        "Postgres 16.4 is too old: before 17 a worker that freezes in a transaction holds up all others. "
        "Upgrade it to 17 or newer."
    )
    assert said(server_checks.kafka_new_enough(16)) == (
        "This Kafka is older than 3.9. Potik is tried on 4.1: upgrade the broker."
    )


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    assert checks.disk_of(tmp_path, 3 << 30) == Finding("disk", True, f"3.0 GB free for {tmp_path}.")
    assert checks.disk_of(tmp_path, 1 << 30) == Finding(
        "disk",
        False,
        f"1.0 GB free for {tmp_path}. Give it room: a full disk stops Kafka or Postgres, and intake with it. "
        "Nothing that was taken is lost.",
    )


def test_the_zone_rules_that_decide() -> None:
    told = "tzdata 2026.6 decides hours; the files of the system decide nothing."
    assert zone_checks.ruled_by("2026.6", "2026.6") == Finding("zones", True, told)
    assert zone_checks.ruled_by("2026.6", "") == Finding("zones", True, told)
    assert zone_checks.ruled_by("2026.6", "2026.7") == Finding(
        "zones",
        False,
        f"{told} This release is pinned to 2026.7: another machine may decide an hour otherwise. "
        "`make run` installs it.",
    )


def test_this_installation_has_the_zone_rules_that_it_asks_for(tmp_path: Path) -> None:
    (found,) = zone_checks.zone_rules(patient(tmp_path))
    assert found.ok and zone_checks.pinned()


def test_folders_of_one_disk_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (found,) = checks.disk(patient(tmp_path))
    assert found.sentence.endswith(f" GB free for {tmp_path}.") or "Give it room" in found.sentence


def test_a_role_that_is_not_ready(tmp_path: Path) -> None:
    parts = [
        PartState("decide", 1, 0, "ready", "", 2, ""),
        PartState("relay", 2, 0, "waiting", "ended with 1", 5, ""),
    ]
    stack = StackState(1, 0, str(tmp_path), "", "", "", "", "", parts)
    assert checks.roles_ready(patient(tmp_path, stack)) == [
        Finding("decide", True, "ready, started again 2 times."),
        Finding("relay", False, "waiting: ended with 1. Its log lines say more."),
    ]


def test_roles_that_something_else_starts(tmp_path: Path) -> None:
    (here,) = checks.roles_ready(patient(tmp_path))
    assert here == Finding("roles", False, f"No stack runs on {tmp_path}: start it with `crm up`.")
    (elsewhere,) = checks.roles_ready(
        replace(patient(tmp_path), kafka_bootstrap="kafka:9092", database_url="postgres:")
    )
    assert elsewhere.ok and elsewhere.sentence.startswith("No `crm up` runs here")


def patient(data: Path, stack: StackState | None = None) -> Patient:
    return Patient(data, stack, "", "", {})
