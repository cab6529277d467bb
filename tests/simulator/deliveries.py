"""A vendor delivers: in its order, with its retries, until it gives up or switches the webhook off. The clock jumps."""

import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from crm.connector import Delivery
from tests.simulator.retries import Manner

Attempt = Callable[[Delivery], Awaitable[bool]]  # whether the vendor took the answer for a good one


@dataclass
class Delivered:
    """What became of deliveries at the vendor's side."""

    attempts: int = 0
    accepted: int = 0
    given_up: int = 0
    not_sent: int = 0  # as the vendor had switched the webhook off
    seconds: int = 0  # on the vendor's clock, from the first attempt to the last

    @property
    def off(self) -> bool:
        return self.not_sent > 0


@dataclass
class Sender:
    """One vendor with its deliveries to one webhook. They happen a second apart."""

    manner: Manner
    attempt: Attempt
    result: Delivered = field(default_factory=Delivered)

    async def deliver(self, deliveries: Sequence[Delivery]) -> Delivered:
        """Returns when each is accepted or given up."""
        numbers, in_a_row, result = count(), 0, self.result
        queue = [(at, next(numbers), 0, one) for at, one in enumerate(deliveries)]
        heapq.heapify(queue)
        while queue:
            at, _, tried, one = heapq.heappop(queue)
            if self.manner.off and in_a_row >= self.manner.off:
                result.not_sent += 1
                continue
            result.attempts, result.seconds = result.attempts + 1, at
            if await self.attempt(one):
                result.accepted, in_a_row = result.accepted + 1, 0
            elif tried == len(self.manner.waits):
                result.given_up, in_a_row = result.given_up + 1, in_a_row + 1
            else:
                again = at + self.manner.waits[tried]
                if self.manner.ordered:  # the others wait
                    queue = [(max(due, again + 1), *rest) for due, *rest in queue]  # type: ignore[misc]  # the same types
                    heapq.heapify(queue)
                heapq.heappush(queue, (again, next(numbers), tried + 1, one))
        return result
