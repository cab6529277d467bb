"""An endless, seeded stream of deliveries as vendors send them: many people's visits, out of order here and there."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from tests.chaos.deliveries import Delivery, Shop
from tests.chaos.person import Person
from tests.chaos.visits import visit

PEOPLE = 40  # visits that are told at the same time, interleaved
KNOWN = 2000  # people who may come back
COMES_BACK = 0.5  # share of visits by somebody who was here before
WINDOW = 12  # deliveries that may overtake each other
REPEATED, REPEATED_AFTER = 0.03, 2000  # share of what is told again, and within how many deliveries
AT_ONCE = 0.01  # share of what is told twice at the same time


class Telling(NamedTuple):
    """A delivery at its turn. `fresh`: for the first time. `twice`: over two connections at once."""

    delivery: Delivery
    fresh: bool
    twice: bool


def stories(shops: Sequence[Shop], seed: str) -> Iterator[Telling]:
    """The same for the same shops and seed. A repeat has the same bytes."""
    rng = Random(f"stories/{seed}")
    facts = interleaved(shops, seed, rng)
    window = [next(facts) for _ in range(WINDOW)]
    later: list[tuple[int, int, Delivery]] = []
    for n in count():
        place = rng.randrange(WINDOW)
        delivery, window[place] = window[place], next(facts)
        yield Telling(delivery, fresh=True, twice=rng.random() < AT_ONCE)
        if rng.random() < REPEATED:
            heappush(later, (n + rng.randrange(1, REPEATED_AFTER), n, delivery))
        while later and later[0][0] <= n:
            yield Telling(heappop(later)[2], fresh=False, twice=False)


def interleaved(shops: Sequence[Shop], seed: str, rng: Random) -> Iterator[Delivery]:
    """Each visit in its own order, those of many people in turn."""
    newcomers = (Person(rng.choice(shops), n, seed, rng) for n in count(1))
    known: list[Person] = []

    def begun() -> Iterator[Delivery]:
        """A visit of somebody new, or of somebody who comes back, perhaps by another way."""
        if known and rng.random() < COMES_BACK:
            return visit(rng.choice(known))
        person = next(newcomers)
        if len(known) < KNOWN:
            known.append(person)
        else:
            known[rng.randrange(KNOWN)] = person
        return visit(person)

    going = [begun() for _ in range(PEOPLE)]
    while True:
        place = rng.randrange(PEOPLE)
        delivery = next(going[place], None)
        if delivery is None:
            going[place] = begun()
        else:
            yield delivery
