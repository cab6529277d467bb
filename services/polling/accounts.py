"""What the role does: it follows who is connected and which cursors are its own, and asks those that are both."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from crm.adapters.telemetry.metrics import POLL_FAILING, POLL_LATE, POLLED_ACCOUNTS
from crm.connector import Connector
from crm.connector_poll import SECOND, Poll
from crm.delivery import Connection
from crm.facts import ConnectionPolled
from crm.log import Clock
from crm.scalars import Id
from services.polling.account import Account, Pace, Seal, key_digest, new_state
from services.polling.schedule import Schedule


class Accounts:
    """The connections that are asked here, as of the last look."""

    def __init__(
        self, connectors: Mapping[str, Connector], schedule: Schedule, clock: Clock, seal: Seal | None = None
    ) -> None:
        self.connectors, self.schedule, self.clock, self.seal = connectors, schedule, clock, seal
        self.accounts: dict[Id, Account] = {}
        self.paces: dict[str, Pace] = {}  # by the digest of the key

    def update(self, connections: Mapping[str, Connection], states: Mapping[str, ConnectionPolled]) -> None:
        """`connections`: all that are this replica's, by id. What has changed is asked at once, from its cursor."""
        wanted = {connection.id: (connection, poll) for connection, poll in self.polled(connections)}
        known = dict(states)
        for id, account in list(self.accounts.items()):
            if id not in wanted or wanted[id][0] != account.connection:
                account.dropped = True
                known[id] = replace(account.state, next_at=None)  # with another key: asked at once
                del self.accounts[id]
        new = [self.account(*wanted[id], known.get(id)) for id in wanted if id not in self.accounts]
        self.accounts |= {account.connection.id: account for account in new}
        if new:
            self.schedule.add(new)

    def polled(self, connections: Mapping[str, Connection]) -> Iterator[tuple[Connection, Poll]]:
        for connection in connections.values():
            connector = self.connectors.get(connection.connector)
            poll = connector.poll if connector and connection.enabled else None
            if poll and not connection.locked and poll.key_of(connection):
                yield connection, poll

    def account(self, connection: Connection, poll: Poll, state: ConnectionPolled | None) -> Account:
        now = self.clock()
        connector = self.connectors[connection.connector]
        account = Account(connection, connector, poll, Pace(), state or new_state(connection, now), state, due=now)
        if state and state.next_at:
            account.due = min(state.next_at, now + poll.every * SECOND)
        if state and state.sealed_key and self.seal:
            account.key, account.key_at = self.seal.unseal(state.sealed_key, account) or ("", 0)
        account.pace = self.paces.setdefault(key_digest(account.base, poll.key_of(connection)), account.pace)
        return account

    def hear(self, state: ConnectionPolled) -> None:
        """Looks at a state that was written just now. Where another replica wrote it, which was asking when this one
        took over, the newer of its key and ours holds, and is written again."""
        account = self.accounts.get(state.connection)
        if account is None or self.seal is None or state.sealed_key == account.state.sealed_key:
            return
        key, at = (self.seal.unseal(state.sealed_key, account) if state.sealed_key else None) or ("", 0)
        if at > account.key_at:
            account.key, account.key_at = key, at
            account.state = replace(account.state, sealed_key=state.sealed_key)
        account.written = None

    def measure(self) -> None:
        POLLED_ACCOUNTS.set(len(self.accounts))
        POLL_FAILING.set(sum(account.state.failures > 0 for account in self.accounts.values()))
        POLL_LATE.set(self.schedule.late())
