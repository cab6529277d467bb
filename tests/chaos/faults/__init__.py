"""Every fault, each a small function that breaks one thing once. The harness calls it again and again."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol

from tests.chaos.deliveries import Shop
from tests.chaos.pulse import Look
from tests.chaos.stand import Stand, Way


class Scene(Protocol):
    """What an injection gets: the stand, its own choices, and someone to tell."""

    stand: Stand
    choices: random.Random
    shops: Sequence[Shop]

    @property
    def acked(self) -> int:
        """Facts acknowledged so far."""

    @property
    def over(self) -> bool:
        """The load has come to its end: nothing new will come."""

    async def struck(self, at: float) -> None:
        """From `at` (time.monotonic) on the time to recovery counts; everything that happens later comes after it."""

    async def look(self) -> Look:
        """How far everything is."""

    def poisoned(self, topic: str, partition: int, offset: int) -> None:
        """A record there is no fact: it must be in quarantine once."""

    def expect(self, held: bool, sentence: str) -> None:
        """Otherwise the row is not ok, and says the sentence."""


Inject = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """How one thing breaks, and what is promised about it."""

    name: str
    sentence: str
    inject: Inject
    bound: float | None = None  # seconds within which everything moves again; None where none is promised
    everywhere: bool = True  # in every partition; else one commit of every consumer is meant
    replicas: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)  # other modules than the product's
    ways: tuple[Way, ...] = ()  # that go through a proxy
    around: Callable[[Stand], AbstractContextManager[object]] = nullcontext  # what a stand stands in, say a small disk
    known: Callable[[], AbstractContextManager[object]] = nullcontext  # what the laws must know to read the journal
    lasts: float = 25.0  # seconds that the load goes on at least, so that it is broken while it runs

    def pace(self, rate: int, facts: int) -> int:
        """Facts a second: fewer than `rate` where the load would be over before it could be broken."""
        return max(1, min(rate, int(facts / self.lasts)))


FAMILIES = ("roles", "servers", "network", "transactions", "disks", "clocks", "versions", "history")
FAULTS: dict[str, Fault] = {}


def fault(name: str, sentence: str, **promised: object) -> Callable[[Inject], Inject]:
    """Declares an injection; what is promised are the fields of Fault."""

    def declare(inject: Inject) -> Inject:
        FAULTS[name] = Fault(name, sentence, inject, **promised)  # type: ignore[arg-type]  # Fault checks its fields
        return inject

    return declare


def all_faults() -> Mapping[str, Fault]:
    """By name, in the order in which they are run."""
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")
    return FAULTS


def named(text: str) -> list[Fault]:
    """One, several with commas, or all. Raises ValueError for a name that there is not."""
    faults = all_faults()
    wanted = [*faults] if text == "all" else text.split(",")
    if unknown := [name for name in wanted if name not in faults]:
        raise ValueError(
            f"There is no fault {', '.join(unknown)}: `crm chaos --list` shows those that there are. "
            "Nothing was started."
        )
    return [faults[name] for name in wanted]
