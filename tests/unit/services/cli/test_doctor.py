"""Each problem that `crm doctor` can find, with its sentence; and that it says so when there is none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crm.scalars import Id
from services.cli.doctor import checks
from services.cli.doctor import flow as flow_checks
from services.cli.doctor import servers as server_checks
from services.cli.doctor import team as team_checks
from services.cli.doctor import zones as zone_checks
from services.cli.doctor.checks import Finding, Installation
from services.cli.doctor.snapshot import Snapshot
from services.stack.state import PartState, StackState

FORMS, DEAL, CONTACT = (
    ("decide", "crm.intake.forms", 0),
    ("deal_v1", "crm.journal", 3),
    ("contact_v1", "crm.journal", 3),
)
WHY = "ZeroDivisionError('planted') deal at DealAssigned 6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a01"
NOW = 1_800_000_000.0


def flow(**changes: Any) -> Snapshot:
    """A healthy snapshot with these changes."""
    well: dict[str, Any] = {
        "journal": {0: 10, 3: 42},
        "heads": {0: 10, 3: 42},
        "heads_after": {0: 10, 3: 42},
        "offsets": {FORMS: 7, DEAL: 42, CONTACT: 42},
        "ends": {FORMS[1:]: 7, DEAL[1:]: 42},
        "newest": NOW - 5,
    }
    return Snapshot(**(well | changes))


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
        *flow_checks.stopped(well),
        *flow_checks.quarantined(well),
        *flow_checks.written_in_time(well, NOW),
        *server_checks.kafka_new_enough(17),
        *server_checks.postgres_new_enough(170000, "17.0"),
        *server_checks.same_time("Postgres", -1.9),
    ] == [
        Finding("restored", True, "Postgres is up to date with the journal in Kafka."),
        Finding("relay", True, "A relay is active; 0 transactions are in the outbox."),
        Finding("progress", True, "Every consumer makes progress; 0 records are still to be read."),
        Finding("quarantine", True, "0 deliveries were quarantined within the last hour."),
        Finding("clock", True, "The clock of Postgres and this machine's agree."),
    ]


def test_a_restored_database_that_nobody_heals() -> None:
    lagging = flow(heads={0: 4}, heads_after={0: 4}, compared=False)
    assert said(flow_checks.as_far_as_kafka(lagging, lagging)) == (
        "Postgres is 48 events behind the journal in Kafka (partitions 0, 3): it was restored, or is new. "
        "decide catches up before it decides anything: start or restart it."
    )


def test_a_database_restored_under_a_running_server() -> None:
    lagging = flow(heads_after={0: 10, 3: 41})
    assert said(flow_checks.as_far_as_kafka(lagging, lagging)) == (
        "Postgres is 1 events behind the journal in Kafka (partitions 3): it was restored, or is new. "
        "It was compared with Kafka before that: run `TRUNCATE core.compared`, then restart decide and relay."
    )


def test_a_restored_database_that_is_being_healed() -> None:
    before, after = flow(heads_after={0: 4}), flow(heads_after={0: 10, 3: 40})
    assert said(flow_checks.as_far_as_kafka(before, after)) == (
        "Postgres is 2 events behind the journal in Kafka (partitions 3): it was restored, or is new. "
        "decide is catching up: run this again in a while."
    )


def test_a_journal_that_lost_its_end() -> None:
    lost = flow(journal={0: 10, 3: 40})
    assert said(flow_checks.as_far_as_postgres(lost)) == (
        "Kafka lacks 2 events that Postgres has positions for (partitions 3), and the outbox is empty: Kafka lost the "
        "end of the journal. Stop decide and load it from an archive (docs/backup.md)."
    )


def test_events_that_still_lie_in_the_outbox_are_not_lost() -> None:
    assert flow_checks.as_far_as_postgres(flow(journal={0: 10, 3: 40}, outbox=2)) == []


def test_an_outbox_that_grows_while_no_relay_leads() -> None:
    before, after = flow(outbox=5, leader=False), flow(outbox=1205, leader=False)
    assert said(flow_checks.relayed(before, after)) == (
        "No relay is active: 1,205 transactions wait in the outbox, 1,200 more than a moment ago. "
        "Nothing is lost, but nothing new reaches the read models: start a relay."
    )


def test_a_consumer_that_takes_nothing() -> None:
    before = flow(offsets={FORMS: 7, DEAL: 40, CONTACT: 40})
    after = flow(offsets={FORMS: 7, DEAL: 40, CONTACT: 42}, ends={FORMS[1:]: 9, DEAL[1:]: 50})
    assert said(flow_checks.moving(before, after)) == (
        "deal_v1: no progress for 3 s although 10 records are waiting. "
        "See the role's log. It is safe to end its process: the next one continues from the checkpoints."
    )


def test_who_is_behind_and_moves_is_well() -> None:
    before, after = flow(offsets={DEAL: 10}), flow(offsets={DEAL: 20})
    assert (
        said(flow_checks.moving(before, after), ok=True)
        == "Every consumer makes progress; 22 records are still to be read."
    )


def test_a_stopped_projection_is_reported_once_with_its_event() -> None:
    stuck = flow(offsets={DEAL: 40}, failed={"deal_v1": WHY}, events={"deal_v1": "partition 3, position 41"})
    assert said(flow_checks.stopped(stuck)) == (
        f"deal_v1 is stopped: {WHY} (partition 3, position 41). The others continue. "
        "Fix its fold, then restart the project role: it continues from its checkpoint."
    )
    assert said(flow_checks.moving(stuck, flow(offsets={DEAL: 40}, failed={"deal_v1": WHY})), ok=True)


def test_quarantine_above_the_limit() -> None:
    assert said(flow_checks.quarantined(flow(quarantined=(99, "tiny", "bad"))), ok=True)
    assert said(flow_checks.quarantined(flow(quarantined=(100, "binotel", "no call id")))) == (
        "100 deliveries were quarantined within the last hour, most of them of binotel: no call id. "
        "`crm quarantine list` shows them. Fix the connector, then run `crm quarantine reparse --all`."
    )


def test_a_record_from_the_future() -> None:
    assert said(flow_checks.written_in_time(flow(newest=NOW + 3600), NOW)) == (
        "The clock of Kafka's producers is 3,600.0 s ahead of this machine's. "
        "Times in events and lags are off by as much: synchronize both clocks (NTP)."
    )


@pytest.mark.parametrize(("ahead", "word"), [(86_400.0, "86,400.0 s ahead of"), (-2.0, "2.0 s behind")])
def test_clocks_that_differ(ahead: float, word: str) -> None:
    assert said(server_checks.same_time("Postgres", ahead)) == (
        f"The clock of Postgres is {word} this machine's. "
        "Times in events and lags are off by as much: synchronize both clocks (NTP)."
    )


def test_servers_that_are_too_old() -> None:
    assert said(server_checks.postgres_new_enough(160004, "16.4")) == (
        "Postgres 16.4 is too old: before 17, a worker that freezes inside a transaction blocks all others. "
        "Upgrade it to 17 or newer."
    )
    assert said(server_checks.kafka_new_enough(16)) == (
        "This Kafka is older than 3.9. Potik is tested with 4.1: upgrade the broker."
    )


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    assert checks.disk_of(tmp_path, 3 << 30) == Finding("disk", True, f"3.0 GB are free for {tmp_path}.")
    assert checks.disk_of(tmp_path, 1 << 30) == Finding(
        "disk",
        False,
        f"1.0 GB are free for {tmp_path}. Free some space: a full disk stops Kafka or Postgres, and with them intake. "
        "Nothing acknowledged is lost.",
    )


def test_the_zone_rules_that_decide() -> None:
    source = "Time zones come from tzdata 2026.6; the system's own files are not used."
    assert zone_checks.ruled_by("2026.6", "2026.6") == Finding("zones", True, source)
    assert zone_checks.ruled_by("2026.6", "") == Finding("zones", True, source)
    assert zone_checks.ruled_by("2026.6", "2026.7") == Finding(
        "zones",
        False,
        f"{source} This release requires 2026.7: other machines may compute other hours. `make run` installs it.",
    )


def test_this_installation_has_the_zone_rules_that_it_asks_for(tmp_path: Path) -> None:
    (found,) = zone_checks.zone_rules(installation(tmp_path))
    assert found.ok and zone_checks.pinned()


def test_folders_of_one_disk_are_reported_once(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (found,) = checks.disk(installation(tmp_path))
    assert found.sentence.endswith(f" GB are free for {tmp_path}.") or "Free some space" in found.sentence


def test_the_address_that_vendors_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = StackState(1, 0, str(tmp_path), "", "", "http://127.0.0.1:8080", "", "", [])
    here = "Only this machine can reach this address; set CRM_PUBLIC_URL or run a tunnel."
    assert checks.public_address(installation(tmp_path, stack)) == [
        Finding("address", True, f"Vendors call http://127.0.0.1:8080. {here}")
    ]
    monkeypatch.setenv("CRM_PUBLIC_URL", "https://crm.example.com/")
    assert checks.public_address(installation(tmp_path, stack)) == [
        Finding("address", True, "Vendors call https://crm.example.com.")
    ]


def test_a_role_that_is_not_ready(tmp_path: Path) -> None:
    parts = [
        PartState("decide", 1, 0, "ready", "", 2, ""),
        PartState("relay", 2, 0, "waiting", "ended with code 1", 5, ""),
    ]
    stack = StackState(1, 0, str(tmp_path), "", "", "", "", "", parts)
    assert checks.roles_ready(installation(tmp_path, stack)) == [
        Finding("decide", True, "ready; restarts so far: 2."),
        Finding("relay", False, "waiting: ended with code 1. See its log lines."),
    ]


def test_roles_that_something_else_starts(tmp_path: Path) -> None:
    (here,) = checks.roles_ready(installation(tmp_path))
    assert here == Finding("roles", False, f"No stack is running on {tmp_path}: start it with `crm up`.")
    (elsewhere,) = checks.roles_ready(
        replace(installation(tmp_path), kafka_bootstrap="kafka:9092", database_url="postgres:")
    )
    assert elsewhere.ok and elsewhere.sentence.startswith("Roles are not managed by `crm up` here")


def installation(data: Path, stack: StackState | None = None) -> Installation:
    return Installation(data, stack, "", "", {})


def test_deals_that_go_to_nobody_are_named_and_are_no_fault() -> None:
    shop, other = Id("6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a01"), Id("6f0d2f0e-3c5c-4f0e-9a64-2f1f6f4f8a02")
    first, second = team_checks.findings([("Shop", shop, 3), ("Other", other, 1000)])
    assert (first.ok, second.ok) == (True, True)
    assert first.sentence.startswith(f"Other ({other}): 1,000 or more deals have no owner")
    assert second.sentence == (
        f"Shop ({shop}): 3 deals have no owner, because no assignment rule names one. "
        f"Set rules with `crm rules apply FILE --workspace {shop}`: docs/workspace.md."
    )
    (well,) = team_checks.findings([])
    assert (well.ok, well.sentence) == (
        True,
        "Every workspace with deals has assignment rules, or its deals have owners.",
    )
