"""Executes commands: database connections that may write, and a Kafka producer for secrets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import psycopg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from api.errors import Unavailable
from crm.adapters.kafka.address import client_options
from crm.adapters.kafka.directory import Access
from crm.commands import Command, CommandSpec
from crm.connection_secrets import sealed
from crm.contract.codec import encode
from crm.engine.once import release, taken, was_run
from crm.engine.run_command import CommandResult, Effect, carry_out, nothing
from crm.engine.workspaces import WorkspaceSettings, create
from crm.facts import ConnectionDeclared, TokenDeclared, WorkspaceDeclared
from crm.scalars import Id
from crm.secret_keys import NoSecretKey, SecretKeys
from crm.topics import CONNECTIONS

# Same as the decide role: locks and transactions are short, and every look-up is by key.
OPTIONS = (
    "-c transaction_timeout=10s -c idle_in_transaction_session_timeout=10s -c lock_timeout=5s -c statement_timeout=10s "
    "-c jit=off -c plan_cache_mode=force_generic_plan "
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
AWAY = "Whether the command took effect is unknown. Send it again with the same Idempotency-Key: it takes effect once."
NOT_READY = "The database is being migrated. Nothing was changed; try again."
Declaration = ConnectionDeclared | TokenDeclared | WorkspaceDeclared
SendDeclaration = Callable[[Declaration], Awaitable[None]]
log = structlog.get_logger()


class Once(Protocol):
    """Carries a command out. Raises Rejected and KeyReused."""

    def __call__(
        self, declared: CommandSpec, command: Command, key: str = "", effect: Effect = nothing
    ) -> Awaitable[CommandResult]: ...


class CommandExecutor:
    """Executes commands, one instance per process. `keys` encrypt secrets; `patience`: seconds that Kafka may take to
    store one; `private_hosts`: to which webhooks may be sent though they are not public."""

    def __init__(
        self,
        dsn: str,
        access: Access,
        bootstrap: str,
        keys: SecretKeys,
        size: int = 4,
        patience: float = 4.0,
        private_hosts: tuple[str, ...] = (),
    ) -> None:
        self.dsn, self.access, self.bootstrap, self.keys, self.patience = dsn, access, bootstrap, keys, patience
        self.private_hosts = private_hosts
        self.pool = AsyncConnectionPool(
            dsn,
            kwargs={"autocommit": True, "options": OPTIONS, "application_name": "potik api commands"},
            check=AsyncConnectionPool.check_connection,
            min_size=1,
            max_size=size,
            timeout=2.0,
            reconnect_timeout=1.0,
            open=False,
        )

    async def carry_out(
        self, declared: CommandSpec, command: Command, key: str, effect: Effect = nothing
    ) -> CommandResult:
        """Executes a command. Raises Rejected, KeyReused or Unavailable."""
        async with self.connection(declared.name) as conn:
            return await carry_out(conn, declared, command, key, effect)

    @asynccontextmanager
    async def once(self, command: Id) -> AsyncIterator[Once | None]:
        """Yields what carries out a command of that id. None when that was done before, or is being done at this
        moment, at whichever replica: so nobody else asks a vendor meanwhile for the same. Raises Unavailable."""
        async with self.connection("once") as conn:
            if not await taken(conn, command):
                yield None
                return
            try:
                yield None if await was_run(conn, command) else partial(carry_out, conn)
            finally:
                await release(conn, command)

    async def create_workspace(self, workspace: Id, wanted: WorkspaceSettings, actor: str, effect: Effect) -> None:
        """Creates a workspace; does nothing when it is there. Raises WorkspaceDiffers or Unavailable."""
        async with self.connection("workspace_create") as conn:
            await create(conn, workspace, wanted, actor, effect)

    @asynccontextmanager
    async def connection(self, command: str) -> AsyncIterator[psycopg.AsyncConnection]:
        """Yields a connection for one command. Raises Unavailable for what Postgres and Kafka raise."""
        try:
            async with self.pool.connection() as conn:
                yield conn
        except PoolTimeout:
            raise Unavailable("The database does not answer. Nothing was changed; try again.") from None
        except psycopg.errors.ObjectNotInPrerequisiteState:
            raise Unavailable(NOT_READY) from None
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            name = type(error).__name__
            log.warning("lost the database connection during a command", command=command, error=name)
            raise Unavailable(f"The database connection was lost ({name}). {AWAY}") from None
        except (KafkaError, TimeoutError) as error:
            why = f"Kafka did not store the secret ({type(error).__name__}). Nothing was changed; try again."
            raise Unavailable(why) from None
        except NoSecretKey as error:
            raise Unavailable(str(error)) from None

    @asynccontextmanager
    async def declaration_sender(self) -> AsyncIterator[SendDeclaration]:
        """Yields a function that writes to crm.connections and waits until Kafka has it. Secrets are encrypted first.

        Raises Unavailable.
        """
        producer = AIOKafkaProducer(
            **client_options(self.bootstrap),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=round(self.patience * 1000),
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise Unavailable(f"Kafka does not answer ({type(error).__name__}). Nothing was changed.") from None

        async def send_declaration(fact: Declaration) -> None:
            if isinstance(fact, ConnectionDeclared):
                fact = sealed(fact, self.keys)
            await producer.send_and_wait(CONNECTIONS.name, encode(fact), key=key_of(fact).encode())
            self.access.learn(fact)  # other processes read it from Kafka

        try:
            yield send_declaration
        finally:
            await producer.stop()


def key_of(fact: Declaration) -> str:
    """Returns the Kafka key: the newest declaration under it counts."""
    match fact:
        case ConnectionDeclared():
            return fact.connection
        case TokenDeclared():
            return fact.token
        case WorkspaceDeclared():
            return fact.meta.workspace
