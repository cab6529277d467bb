"""Every vendor through the simulator, with its retries and through every fault: delivered is decided exactly once."""

import asyncio

import pytest

from crm.connector_catalogue import catalogue
from services.connectors.rehearsal import rehearsals
from tests.simulator.retries import RETRIES, manner_of
from tests.simulator.runs import FAULTS, Run, problems, read_decided, run_all
from tests.simulator.samples import groups
from tests.support.running_stack import RunningStack

Runs = dict[tuple[str, str], Run]


@pytest.fixture(scope="module")
def runs(stack: RunningStack) -> Runs:
    running = stack.running()
    done = asyncio.run(run_all(running.kafka_bootstrap, running.database_url))
    stack.settle()
    read_decided(running.database_url, done)
    return {(run.vendor, run.fault): run for run in done}


def test_every_vendor_has_samples_to_deliver() -> None:
    assert list(groups()) == list(rehearsals())
    assert set(RETRIES) <= set(rehearsals())


def test_what_was_kept_is_decided_exactly_once(runs: Runs) -> None:
    assert problems(runs.values()) == []
    assert {(run.vendor, run.fault) for run in runs.values()} == {(v, f) for v in groups() for f in FAULTS}


@pytest.mark.parametrize("fault", ["error", "answer lost", "silence", "slow drip", "sent twice"])
def test_a_fault_that_the_vendor_repeats_through_changes_nothing(runs: Runs, fault: str) -> None:
    """The same deliveries lead to the same facts, and these to as many events."""
    for vendor in groups():
        clean, run = runs[vendor, "none"], runs[vendor, fault]
        if fault == "error" and not manner_of(vendor).waits:
            assert run.repaired or (run.kept, run.facts) == (0, {}), vendor
            continue
        assert set(run.facts.values()) == set(clean.facts.values()), vendor
        assert run.made == clean.made, vendor


def test_no_order_loses_anything(runs: Runs) -> None:
    for vendor in groups():
        assert set(runs[vendor, "reversed"].facts.values()) == set(runs[vendor, "none"].facts.values()), vendor


def test_intake_itself_answers_200_and_refuses_nothing_but_what_is_late(runs: Runs) -> None:
    for run in runs.values():
        assert set(run.statuses) <= ({200, 401} if run.fault == "late" else {200}), (
            run.vendor,
            run.fault,
            run.statuses,
        )


def test_a_webhook_that_the_vendor_switched_off_is_set_again_and_the_rest_comes(runs: Runs) -> None:
    for vendor in (name for name in groups() if manner_of(name).off):
        run = runs[vendor, "outage"]
        activation = catalogue()[vendor].activation
        assert activation
        each = len(groups()[vendor]) * max(1, len(activation.topics))  # set when it was connected, and again
        assert run.repaired and each < len(run.activated) <= 2 * each, vendor
        assert 0 < run.sent - run.kept <= manner_of(vendor).off * len(groups()[vendor]), vendor
        assert run.facts, vendor
