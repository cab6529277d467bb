"""The second invariant: positions are dense in each partition of the journal, and repeated only as a suffix."""

from crm.topics import JOURNAL


class Positions:
    """Checks one partition. A record is new, or part of a repeat, which a relay that died or froze may write.

    New is `highest + 1`. A repeat begins anywhere at or before `highest`, has the same bytes as the first time, and
    goes on densely until it stops: at the end, or where the next new record or the next repeat begins.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.prints: list[int | None] = []  # of the value at each position; None where it is missing
        self.previous = -1
        self.offset = -1
        self.wrong: dict[str, list[str]] = {}

    def new(self, position: int | None, value: bytes) -> bool:
        """Returns whether the record is new. Notes violations."""
        self.offset += 1
        if position is None:
            self.offends("records have no position", f"offset {self.offset}")
            return False
        highest = len(self.prints) - 1
        previous, self.previous = self.previous, position
        if position > highest:
            if position > highest + 1:
                self.offends("positions are missing", f"{highest + 1} to {position - 1}")
                self.prints += [None] * (position - highest - 1)
            self.prints.append(hash(value))
            return True
        if self.prints[position] != hash(value):
            self.offends("positions have two different events", str(position))
        elif previous + 1 < position:
            self.offends("repeats are no suffix", f"{position} follows {previous} where {highest} was reached")
        return False

    def offends(self, what: str, example: str) -> None:
        self.wrong.setdefault(what, []).append(f"{JOURNAL.name}/{self.partition}: {example}")
