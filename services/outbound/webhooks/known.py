"""The webhooks and cursors as this process knows them, read again when somebody has changed them."""

from collections.abc import Mapping

from psycopg import AsyncConnection

from crm.envelope import now
from crm.scalars import Id
from services.outbound.role import Outbound
from services.outbound.webhooks import cursors
from services.outbound.webhooks.cursors import Cursor, Key
from services.outbound.webhooks.plan import ByWorkspace, by_workspace, wanted_types
from services.outbound.webhooks.subscription import Subscription


class Known:
    """What is committed. `number`: of the version in Postgres that it is of; `planned`: by partition, the position up
    to which this process planned; `gone`: what is to be switched off."""

    def __init__(self, role: Outbound) -> None:
        self.role = role
        self.webhooks: dict[Id, Subscription] = {}
        self.by_workspace: ByWorkspace = {}
        self.types: frozenset[str] | None = frozenset()
        self.cursors: dict[Key, Cursor] = {}
        self.number = -1
        self.partitions: set[int] = set()  # that were ours when it was read
        self.planned: dict[int, int] = {}
        self.failing: set[Id] = set()
        self.gone: dict[Id, str] = {}  # and why

    async def refresh(self, conn: AsyncConnection, firsts: Mapping[int, int]) -> None:
        """Reads all again if it was changed, when partitions came that another replica had, or when another replica
        planned meanwhile: a process that was frozen may get back the same partitions. `firsts`: by partition, the
        position that is planned next."""
        ours = set(self.role.assigned())
        follows = firsts.items() <= self.planned.items()
        if (number := await cursors.version(conn)) == self.number and ours == self.partitions and follows:
            return
        found, self.cursors, failing = await cursors.load(conn)
        self.failing |= failing  # what was noted meanwhile may not be committed yet
        for one in found:
            self.role.queues.hold(one.id, not one.enabled, now())
        self.webhooks = {one.id: one for one in found}
        self.by_workspace, self.types = by_workspace(found), wanted_types(found)
        self.number, self.partitions = number, ours
