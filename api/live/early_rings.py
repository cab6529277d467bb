"""Calls that begin to ring, shown before the journal has them: Postgres announces the transaction that decided them,
and their reports are read from the outbox.

Only the first rings of calls that this very transaction opened are taken, as no earlier report of theirs can be on its
way. The journal stays the truth: it brings each of them again, which is skipped then, and alone brings all the rest. A
cursor that a client got in between has the call as shown, and positions before it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from api.live.journal_entry import JournalEntry, workspace_of
from api.live.positions import Positions
from crm.adapters.kafka.journal_log import Slice, envelope, unpack
from crm.contract.codec import type_of
from crm.events import CallOpened, CallUpdated
from crm.scalars import Id
from crm.screen_pop.rings import Screen
from crm.vocabulary import CallPhase

REMEMBERED = 1_000  # reports that the journal has not brought yet
LONGEST_ID = 19  # digits; anything shorter is a bigint


class EarlyRings:
    """Those of one screen. `shown`: ids of reports that the journal will bring again."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.waiting: list[JournalEntry] = []
        self.shown: dict[Id, None] = {}

    def take(self, at: Positions) -> list[JournalEntry]:
        """Returns the reports that were announced and did not come by the journal until `at`."""
        found = [one for one in self.waiting if one.position >= at[one.partition]]
        self.waiting.clear()
        self.shown |= dict.fromkeys(one.id for one in found)
        while len(self.shown) > REMEMBERED:
            del self.shown[next(iter(self.shown))]
        return found

    def is_repeat(self, entry: JournalEntry) -> bool:
        """Whether a report that the journal brings was shown early. Forgets it."""
        return bool(self.shown) and self.shown.pop(entry.id, self) is None


def announced(payload: str) -> tuple[int, list[str]]:
    """Returns the id in the outbox, and the workspaces, of a notification. No workspaces when it is none of ours: every
    user of the database may notify."""
    id, *workspaces = payload.split(" ")
    return (int(id), workspaces) if id.isascii() and id.isdecimal() and len(id) < LONGEST_ID else (0, [])


def reports_in(slices: Sequence[Slice], workspaces: Collection[str]) -> dict[str, list[JournalEntry]]:
    """Returns by workspace how the calls begin that a transaction opened: until one does something else than ring."""
    found: dict[str, list[JournalEntry]] = defaultdict(list)
    for part in slices:
        opened: set[Id] = set()
        for position, (_, id, source, trace, value) in enumerate(unpack(part.records), part.first):
            if type_of(value) not in (CallOpened, CallUpdated):
                continue
            workspace = workspace_of(value).decode()
            if workspace not in workspaces:
                continue
            entry = JournalEntry(part.partition, position, envelope(id, source, trace, value, position), value)
            event = entry.event
            if isinstance(event, CallOpened):
                opened.add(event.call_id)
            elif event.phase != CallPhase.RINGING:
                opened.discard(event.call_id)
            if event.call_id in opened:
                found[workspace].append(entry)
    return dict(found)
