"""All faults. Each is a function that breaks one thing once; the harness calls it repeatedly."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol

from tests.chaos.cluster import Cluster, Link
from tests.chaos.progress_probe import Snapshot
from tests.support.workload.deliveries import Tenant


class FaultContext(Protocol):
    """What an injection works with: the cluster, random choices and where to report."""

    cluster: Cluster
    choices: random.Random
    tenants: Sequence[Tenant]

    @property
    def acked(self) -> int:
        """Facts acknowledged so far."""

    @property
    def over(self) -> bool:
        """Whether the load has ended."""

    async def injected(self, at: float) -> None:
        """Starts to measure the recovery from `at` (time.monotonic)."""

    async def snapshot(self) -> Snapshot:
        """Returns the progress of all consumers now."""

    def expect_quarantined(self, topic: str, partition: int, offset: int) -> None:
        """Expects the record in quarantine exactly once."""

    def expect(self, held: bool, sentence: str) -> None:
        """Fails the run with the sentence unless `held`."""


Inject = Callable[[FaultContext], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """How one thing breaks, and the promised recovery."""

    name: str
    sentence: str
    inject: Inject
    bound: float | None = None  # seconds within which everything moves again; None where none is promised
    everywhere: bool = True  # in every partition; else one commit of every consumer is meant
    replicas: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)  # other modules than the product's
    links: tuple[Link, ...] = ()  # that go through a proxy
    brokers: int = 1  # each topic is on all of them
    around: Callable[[Cluster], AbstractContextManager[object]] = (
        nullcontext  # what surrounds the cluster, for example a small disk
    )
    known: Callable[[], AbstractContextManager[object]] = nullcontext  # what the invariants need to read the journal
    lasts: float = 25.0  # seconds that the load goes on at least, so that it is broken while it runs

    def pace(self, rate: int, facts: int) -> int:
        """Returns facts a second: at most `rate`, and so few that the load lasts for `lasts` seconds."""
        return max(1, min(rate, int(facts / self.lasts)))


FAMILIES = ("roles", "servers", "brokers", "network", "transactions", "disks", "clocks", "versions", "history")
FAULTS: dict[str, Fault] = {}


def fault(name: str, sentence: str, **promised: object) -> Callable[[Inject], Inject]:
    """Declares an injection; keyword arguments are fields of Fault."""

    def declare(inject: Inject) -> Inject:
        FAULTS[name] = Fault(name, sentence, inject, **promised)  # type: ignore[arg-type]  # Fault checks its fields
        return inject

    return declare


def all_faults() -> Mapping[str, Fault]:
    """Returns all faults by name, in the order in which they run."""
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")
    return FAULTS


def faults_named(text: str) -> list[Fault]:
    """Returns the faults named in `text`: one, several with commas, or `all`. Raises ValueError for an unknown name."""
    faults = all_faults()
    wanted = [*faults] if text == "all" else text.split(",")
    if unknown := [name for name in wanted if name not in faults]:
        raise ValueError(
            f"There is no fault {', '.join(unknown)}: `crm chaos --list` shows those that there are. "
            "Nothing was started."
        )
    return [faults[name] for name in wanted]
