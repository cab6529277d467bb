"""What waits to be sent, in memory: in order by key, fair by target. No I/O and no clock.

A target that fails again and again is tried by one delivery at a time; once one arrives, all that failed meanwhile are
due.
"""

from bisect import insort
from collections import deque
from collections.abc import Collection, Iterable
from heapq import heappop, heappush
from itertools import count
from random import random

from crm.scalars import Id, Micros
from services.outbound.delivery import SECOND, Delivery, Outcome, State

AT_ONCE = 32  # attempts at one target that answers soon
FIRST = 4  # at one that is new, slow, or failed just now; each answer in time allows one more
IN_TIME = 1_000.0  # milliseconds
DOWN = 5  # failures in a row after which a target counts as down
PROBE, LONGEST_PROBE = 10, 600  # seconds between two attempts at a target that is down; doubled up to the longest


class Lane:
    """The deliveries of one key to one target, the next one first."""

    __slots__ = ("busy", "key", "listed", "queue")

    def __init__(self, key: Id) -> None:
        self.key = key
        self.queue: list[Delivery] = []
        self.busy = False  # its first delivery is being sent
        self.listed = False  # among those that may be sent


class Target:
    """One target's lanes."""

    def __init__(self, id: Id) -> None:
        self.id = id
        self.lanes: dict[Id, Lane] = {}
        self.ready: deque[Lane] = deque()
        self.in_flight = self.size = self.failures = 0
        self.limit = FIRST  # attempts at once
        self.paused_until = Micros(0)
        self.listed = False  # its turn comes
        self.held = False  # nothing is sent until it is released

    @property
    def down(self) -> bool:
        return self.failures >= DOWN

    def may_send(self, now: Micros) -> bool:
        limit = 1 if self.down else self.limit
        return bool(self.ready) and self.in_flight < limit and now >= self.paused_until and not self.held


class Queues:
    """All targets. `take` gives the next delivery that may be sent, each target in its turn."""

    def __init__(self) -> None:
        self.targets: dict[Id, Target] = {}
        self.known: dict[Id, Delivery] = {}  # all that wait or are being sent
        self.turns: deque[Target] = deque()
        self.timers: list[tuple[int, int, Target, Lane | None]] = []
        self.numbers = count()

    def waiting(self, target: Id) -> int:
        found = self.targets.get(target)
        return found.size if found else 0

    def add(self, deliveries: Iterable[Delivery], now: Micros) -> None:
        """Adds deliveries, each behind those of its key that come before it in the journal. A known one stays."""
        for one in deliveries:
            if known := self.known.get(one.id):
                known.event = known.event or one.event
                continue
            self.known[one.id] = one
            target = self.targets.get(one.target) or self.targets.setdefault(one.target, Target(one.target))
            lane = target.lanes.get(one.key) or target.lanes.setdefault(one.key, Lane(one.key))
            target.size += 1
            if not lane.queue or lane.queue[-1].order < one.order:
                lane.queue.append(one)
            else:
                insort(lane.queue, one, lo=1 if lane.busy else 0, key=lambda found: found.order)
            if lane.queue[0] is one:
                self.schedule(target, lane, now)

    def schedule(self, target: Target, lane: Lane, now: Micros) -> None:
        """Lists a lane whose first delivery is due, or sets a timer."""
        if lane.busy or not lane.queue or lane.listed:
            return
        if (due := lane.queue[0].due_at) > now:
            heappush(self.timers, (due, next(self.numbers), target, lane))
            return
        lane.listed = True
        target.ready.append(lane)
        self.list_target(target, now)

    def list_target(self, target: Target, now: Micros) -> None:
        if not target.listed and target.may_send(now):
            target.listed = True
            self.turns.append(target)

    def take(self, now: Micros) -> Delivery | None:
        """Returns a delivery to be sent now; it stays known until `finish`."""
        self.ring(now)
        while self.turns:
            target = self.turns.popleft()
            target.listed = False
            if not target.may_send(now):
                continue
            lane = target.ready.popleft()
            lane.listed = False
            if not lane.queue or lane.busy:
                self.list_target(target, now)
                continue
            lane.busy = True
            target.in_flight += 1
            self.list_target(target, now)
            return lane.queue[0]
        return None

    def ring(self, now: Micros) -> None:
        while self.timers and self.timers[0][0] <= now:
            _, _, target, lane = heappop(self.timers)
            if lane is None:
                self.list_target(target, now)
            else:
                self.schedule(target, lane, now)

    def next_due(self) -> Micros | None:
        """Returns when the next timer rings."""
        return Micros(self.timers[0][0]) if self.timers else None

    def finish(self, one: Delivery, outcome: Outcome, now: Micros) -> None:
        """Takes the outcome of an attempt: the next one of its key is next, or the same one again later."""
        target = self.targets[one.target]
        target.in_flight -= 1
        lane = target.lanes.get(one.key)
        was_down = target.down
        works = outcome.healthy or outcome.state is State.DELIVERED
        if outcome.counts:
            target.limit = min(target.limit + 1, AT_ONCE) if works and outcome.took_ms < IN_TIME else FIRST
        if outcome.counts and works:
            target.failures = 0
        elif outcome.counts and not (was_down and now < target.paused_until):  # not those that were begun before
            target.failures += 1
        if lane and lane.queue and lane.queue[0] is one:
            lane.busy = False
            if outcome.state is not State.WAITING:
                lane.queue.pop(0)
                self.forget(target, one)
            if lane.queue:
                self.schedule(target, lane, now)
            else:
                del target.lanes[one.key]
        self.pause(target, outcome, now)
        if was_down and not target.down:
            self.revive(target, now)
        self.list_target(target, now)

    def forget(self, target: Target, one: Delivery) -> None:
        self.known.pop(one.id, None)
        target.size -= 1

    def pause(self, target: Target, outcome: Outcome, now: Micros) -> None:
        until = outcome.pause_until
        if target.down and now >= target.paused_until:
            seconds = min(PROBE * 2 ** min(target.failures - DOWN, 10), LONGEST_PROBE) * (1 + 0.1 * random())
            until = Micros(max(until, now + round(seconds * SECOND)))
        if until > target.paused_until:
            target.paused_until = until
            heappush(self.timers, (until, next(self.numbers), target, None))

    def revive(self, target: Target, now: Micros) -> None:
        """It answers again: what failed while it was down is due."""
        target.paused_until = now
        for lane in target.lanes.values():
            if lane.queue and not lane.busy:
                lane.queue[0].due_at = min(lane.queue[0].due_at, now)
                self.schedule(target, lane, now)

    def hold(self, target: Id, held: bool, now: Micros) -> None:
        """Stops what goes to a target, or lets it go on."""
        found = self.targets.get(target)
        if found and found.held != held:
            found.held = held
            if not held:
                found.failures, found.paused_until = 0, now
                self.revive(found, now)
            self.list_target(found, now)
        elif held and found is None:
            self.targets[target] = Target(target)
            self.targets[target].held = True

    def drop(self, partitions: Collection[int]) -> None:
        """Forgets what another replica sends from now on."""
        self.remove(one for one in list(self.known.values()) if one.partition in partitions)

    def remove(self, deliveries: Iterable[Delivery]) -> None:
        """Forgets deliveries. Attempts that were begun go on, and their outcome is stored."""
        for one in deliveries:
            if self.known.get(one.id) is not one:
                continue
            target = self.targets[one.target]
            lane = target.lanes[one.key]
            was_first = lane.queue[0] is one
            lane.queue.remove(one)
            self.forget(target, one)
            if was_first and lane.busy:
                lane.busy = False
            if not lane.queue:
                del target.lanes[one.key]
            elif was_first:
                self.schedule(target, lane, Micros(0))
