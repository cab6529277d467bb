"""The context of a request, available to its resolvers."""

import asyncio
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import strawberry

from api.access import Access, Token, bearer, workspace
from api.commands.executor import CommandExecutor
from api.commands.rereads import Rereads
from api.live.changes import Changes
from api.live.processing import Processing
from api.sql.pool import Pool
from api.sql.reads import Reads
from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.export_store import ExportStore
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.activity import ActivityDirectory
from crm.adapters.trial_store import TrialStore
from crm.attachments import StoredLink
from crm.screen_pop.caller import Found


@dataclass
class Context:
    """Belongs to one HTTP request or one websocket.

    `authorization` is the value of the header, or the one sent in connection_init.
    """

    pool: Pool
    access: Access
    changes: Changes
    authorization: str
    idempotency_key: str | None = None
    min_position: str | None = None
    executor: CommandExecutor | None = None  # None: this server is read-only
    stack: Path | None = None  # where the supervisor says how the processes are
    archive: Path | None = None  # holds facts that Kafka no longer has
    activity: ActivityDirectory | None = None  # what comes to connections
    attachments: AttachmentStore | None = None  # where files are stored; None: nowhere
    imports: ImportStore | None = None  # where files of imports are; None: nowhere
    exports: ExportStore | None = None  # where exports are; None: nowhere
    trials: TrialStore | None = None  # where trials of other rules are asked for; None: nowhere
    processing: Processing | None = None  # how far the roles are; None: this server is read-only
    rereads: Rereads | None = None  # reads quarantined deliveries again; None: this server is read-only
    intake_url: str = ""  # as vendors call it, without a slash at its end

    @property
    def token(self) -> Token:
        """Returns the caller's token. Raises Unauthorized."""
        return bearer(self.access, self.authorization)

    def workspace(self) -> str:
        """Returns the caller's workspace. Raises Unauthorized.

        Long subscriptions call it repeatedly, because a token can be revoked.
        """
        return workspace(self.access, self.authorization)

    @cached_property
    def reads(self) -> Reads:
        return Reads(self.pool, self.workspace())

    @cached_property
    def links(self) -> dict[str, asyncio.Future[StoredLink | None]]:
        """What became of files, by their reference, as far as it was asked for."""
        return {}

    @cached_property
    def callers(self) -> dict[str, asyncio.Future[Found]]:
        """Returns who may be calling, by the id of the call, as far as it was asked for."""
        return {}

    def reset(self) -> None:
        """Forgets loaders and budgets, before a new operation or the next result of a subscription."""
        self.__dict__.pop("reads", None)
        self.__dict__.pop("links", None)
        self.__dict__.pop("callers", None)


Info = strawberry.Info[Context, Any]
