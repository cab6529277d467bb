"""Whose turn it is: the account that has waited longest, a few at a time, and only some of them at one vendor."""

import asyncio
import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from functools import partial
from itertools import count

from crm.connector_poll import SECOND
from crm.log import Clock
from services.polling.account import Account
from services.polling.turns import Turns

AT_ONCE = 32  # requests
AT_ONE_VENDOR = 8  # of them: a vendor that does not answer leaves room for the others
LOOK = 5.0  # seconds after which the clock is looked at again, should it have been set


class Schedule:
    """One request a turn: an account with many pages goes to the end of the queue after each."""

    def __init__(self, turns: Turns, clock: Clock, at_once: int = AT_ONCE, at_one_vendor: int = AT_ONE_VENDOR) -> None:
        self.turns, self.clock, self.at_once, self.at_one_vendor = turns, clock, at_once, at_one_vendor
        self.queue: list[tuple[int, int, Account]] = []
        self.waiting: defaultdict[str, deque[Account]] = defaultdict(deque)  # for room at their vendor, by address
        self.busy: Counter[str] = Counter()
        self.running = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()
        self.number = count()

    def add(self, accounts: Iterable[Account]) -> None:
        for account in accounts:
            self.push(account)
        self.changed.set()

    def push(self, account: Account) -> None:
        account.entry, account.queued = next(self.number), True
        heapq.heappush(self.queue, (account.due, account.entry, account))

    def wake(self, account: Account, at: int) -> None:
        """Its turn comes at that moment, unless it comes before."""
        if account.dropped or at >= account.due:
            return
        account.due = at
        if account.queued:
            self.push(account)
        self.changed.set()

    def take(self) -> Account | None:
        """Returns an account that is due and has room; None when there is none now."""
        while self.queue and self.running < self.at_once and self.queue[0][0] <= self.clock():
            _, entry, account = heapq.heappop(self.queue)
            if account.dropped or entry != account.entry:
                continue
            account.queued = False
            if account.pace.busy:
                account.pace.waiting.append(account)
            elif account.pace.next_at > self.clock():  # another connection with the same key was asked meanwhile
                account.due = account.pace.next_at
                self.push(account)
            elif self.busy[account.host] >= self.at_one_vendor:
                self.waiting[account.host].append(account)
            else:
                return account
        return None

    def start(self) -> int:
        """Starts the step of every account that is due. Returns how many."""
        started = 0
        while account := self.take():
            account.pace.busy = True
            self.busy[account.host] += 1
            self.running += 1
            task = asyncio.create_task(self.step(account))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            started += 1
        return started

    async def step(self, account: Account) -> None:
        try:
            await self.turns.step(account)
            await self.turns.rest(account, partial(self.wake, account))
        finally:
            account.pace.busy = False
            while account.pace.waiting:
                waiting = account.pace.waiting.popleft()
                waiting.due = max(waiting.due, account.pace.next_at)
                self.push(waiting)
            self.busy[account.host] -= 1
            self.running -= 1
            if self.waiting[account.host]:
                self.push(self.waiting[account.host].popleft())
            if not account.dropped:
                self.push(account)
            self.changed.set()

    def late(self) -> float:
        """Returns the seconds by which the account that waits longest is late."""
        oldest = [queue[0].due for queue in self.waiting.values() if queue]
        if self.queue:
            oldest.append(self.queue[0][0])
        return max(0.0, (self.clock() - min(oldest)) / SECOND) if oldest else 0.0

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            while True:
                self.changed.clear()
                self.start()
                pause = LOOK
                if self.queue and self.running < self.at_once:
                    pause = min(LOOK, max(0.001, (self.queue[0][0] - self.clock()) / SECOND))
                try:
                    async with asyncio.timeout(pause):
                        await self.changed.wait()
                except TimeoutError:
                    pass
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
