"""The limit past which decide stops: who cannot decide on most of what comes is at fault itself, not what comes."""

from crm.errors import Broken

WINDOW = 1_000  # facts looked back on
SHARE = 0.5  # of them

Place = tuple[str, int, int]  # topic, partition, offset


class TooManyDeadLetters(Broken):
    """Stop before the commit, and wait for somebody to mend it."""


class DeadLetters:
    """The last facts by where they lie, each with why it could not be decided on ("" when it could). A transaction that
    runs again tells the same places again, so none is counted twice."""

    def __init__(self, least: int = 100) -> None:
        """`least`: so many may always be quarantined, whatever their share; 0 sets no limit."""
        self.least = least
        self.last: dict[Place, str] = {}
        self.stopped = ""  # why, once it is so: only a new start begins anew

    def note(self, place: Place, why: str = "") -> None:
        self.last[place] = why
        if len(self.last) > WINDOW:
            del self.last[next(iter(self.last))]

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
