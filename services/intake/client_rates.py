"""How many deliveries one client has sent to one connection in the last minute, in this process's memory."""

from crm.scalars import Micros

MINUTE = 60_000_000  # microseconds
MOST = 50_000  # clients of one minute; more are not counted


class ClientRates:
    """Counts by whole minutes, and takes of the minute before the share that is still within sixty seconds."""

    def __init__(self) -> None:
        self.minute = 0
        self.now: dict[tuple[str, str], int] = {}
        self.before: dict[tuple[str, str], int] = {}

    def count(self, connection: str, client: str, at: Micros) -> int:
        """Counts one delivery and returns how many there were in the last 60 s, this one among them."""
        minute, into = divmod(at, MINUTE)
        if minute != self.minute:
            self.before = self.now if minute == self.minute + 1 else {}
            self.minute, self.now = minute, {}
        key = (connection, client)
        count = self.now.get(key, 0) + 1
        if key in self.now or len(self.now) < MOST:
            self.now[key] = count
        return count + self.before.get(key, 0) * (MINUTE - into) // MINUTE
