"""Stops decide when most facts fail: then the fault is in decide, not in the facts."""

from collections import OrderedDict

from crm.errors import Broken
from crm.log import RecordRef

WINDOW = 1_000  # facts looked back on
SHARE = 0.5  # of them


class TooManyDeadLetters(Broken):
    """Stops before the commit: a person has to fix the cause."""


class DeadLetters:
    """The last facts by record, each with the reason why it was not decided ("" when it was). A transaction that runs
    again reports the same records, so none is counted twice."""

    def __init__(self, least: int = 100) -> None:
        """`least`: so many may always be quarantined, whatever their share; 0: no limit."""
        self.least = least
        self.last: OrderedDict[RecordRef, str] = OrderedDict()  # gives up its first at once, which a dict looks for
        self.stopped = ""  # why, once it is so: only a restart resets it

    def note(self, place: RecordRef, why: str = "") -> None:
        self.last[place] = why
        if len(self.last) > WINDOW:
            self.last.popitem(last=False)

    def check(self) -> None:
        """Raises TooManyDeadLetters, and from then on each time."""
        if self.stopped:
            raise TooManyDeadLetters(self.stopped)
        bad = {place: why for place, why in self.last.items() if why}
        if not self.least or len(bad) <= self.least or len(bad) <= SHARE * len(self.last):
            return
        place, why = list(bad.items())[-1]
        self.stopped = (
            f"{len(bad)} of the last {len(self.last)} facts could not be decided on; the newest, at "
            f"{'/'.join(map(str, place))}: {why.rstrip('.')}. So many say that decide itself is at fault: it stopped, "
            "and nothing of this batch was kept or lost. Start a version that can decide on them; to let them all into "
            "quarantine, raise CRM_QUARANTINE_LIMIT (0 is none) and start decide again."
        )
        raise TooManyDeadLetters(self.stopped)
