"""An endless, seeded stream of deliveries: visits of many customers, sometimes out of order or repeated."""

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from tests.support.workload.customer import Customer
from tests.support.workload.deliveries import Delivery, Tenant
from tests.support.workload.visits import visit

PEOPLE = 40  # visits at the same time, interleaved
KNOWN = 2000  # people who may come back
COMES_BACK = 0.5  # share of visits by somebody who was here before
WINDOW = 12  # deliveries that may overtake each other
REPEATED, REPEATED_AFTER = 0.03, 2000  # share of deliveries that are sent again, and within how many deliveries
AT_ONCE = 0.01  # share of deliveries that are sent twice at the same time


class ScheduledDelivery(NamedTuple):
    """`fresh`: sent for the first time. `duplicated`: sent over two connections at once."""

    delivery: Delivery
    fresh: bool
    duplicated: bool


def delivery_stream(tenants: Sequence[Tenant], seed: str) -> Iterator[ScheduledDelivery]:
    """Yields the same deliveries for the same tenants and seed. A repeat has the same bytes."""
    rng = Random(f"stories/{seed}")
    facts = interleaved(tenants, seed, rng)
    window = [next(facts) for _ in range(WINDOW)]
    later: list[tuple[int, int, Delivery]] = []
    for n in count():
        place = rng.randrange(WINDOW)
        delivery, window[place] = window[place], next(facts)
        yield ScheduledDelivery(delivery, fresh=True, duplicated=rng.random() < AT_ONCE)
        if rng.random() < REPEATED:
            heappush(later, (n + rng.randrange(1, REPEATED_AFTER), n, delivery))
        while later and later[0][0] <= n:
            yield ScheduledDelivery(heappop(later)[2], fresh=False, duplicated=False)


def interleaved(tenants: Sequence[Tenant], seed: str, rng: Random) -> Iterator[Delivery]:
    """Yields deliveries of many visits in turn; each visit keeps its order."""
    newcomers = (Customer(rng.choice(tenants), n, seed, rng) for n in count(1))
    known: list[Customer] = []

    def begun() -> Iterator[Delivery]:
        """Starts a visit of a new or a returning customer."""
        if known and rng.random() < COMES_BACK:
            return visit(rng.choice(known))
        customer = next(newcomers)
        if len(known) < KNOWN:
            known.append(customer)
        else:
            known[rng.randrange(KNOWN)] = customer
        return visit(customer)

    going = [begun() for _ in range(PEOPLE)]
    while True:
        place = rng.randrange(PEOPLE)
        delivery = next(going[place], None)
        if delivery is None:
            going[place] = begun()
        else:
            yield delivery
