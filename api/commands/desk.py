"""Where commands are carried out: connections to Postgres that may write, and Kafka for what is secret."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from api.errors import Unavailable
from crm.adapters.kafka.directory import Access
from crm.commands import Command, Declared
from crm.contract.codec import encode
from crm.engine.run_command import Done, Effect, carry_out, nothing
from crm.facts import ConnectionDeclared, TokenDeclared
from crm.topics import CONNECTIONS

# As decide's: locks and transactions are short, and every look-up is by key.
OPTIONS = (
    "-c transaction_timeout=10s -c idle_in_transaction_session_timeout=10s -c lock_timeout=5s -c statement_timeout=10s "
    "-c jit=off -c plan_cache_mode=force_generic_plan "
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
AWAY = "Whether it was done is not known: send it again with the same Idempotency-Key, and it is done once."
NOT_READY = "The database is being brought up to date. Nothing was changed; try again."
Tell = Callable[[ConnectionDeclared | TokenDeclared], Awaitable[None]]
log = structlog.get_logger()


class Desk:
    """Opened once a process. `patience`: seconds that Kafka may take for what is secret."""

    def __init__(self, dsn: str, access: Access, bootstrap: str, size: int = 4, patience: float = 4.0) -> None:
        self.access, self.bootstrap, self.patience = access, bootstrap, patience
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

    async def carry_out(self, declared: Declared, command: Command, key: str, effect: Effect = nothing) -> Done:
        """Raises Rejected, KeyReused, Unavailable."""
        try:
            async with self.pool.connection() as conn:
                return await carry_out(conn, declared, command, key, effect)
        except PoolTimeout:
            raise Unavailable("The database does not answer. Nothing was changed; try again.") from None
        except psycopg.errors.ObjectNotInPrerequisiteState:
            raise Unavailable(NOT_READY) from None
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            log.warning("a command lost its database", command=declared.name, error=type(error).__name__)
            raise Unavailable(f"The database went away ({type(error).__name__}). {AWAY}") from None
        except (KafkaError, TimeoutError) as error:
            why = f"Kafka did not take it ({type(error).__name__}). Nothing was changed; try again."
            raise Unavailable(why) from None

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[Tell]:
        """Writes to crm.connections, and returns when Kafka has it. Raises Unavailable when Kafka is away."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=round(self.patience * 1000),
        )
        try:
            await producer.start()
        except KafkaError as error:
            await producer.stop()
            raise Unavailable(f"Kafka does not answer ({type(error).__name__}). Nothing was changed.") from None

        async def tell(fact: ConnectionDeclared | TokenDeclared) -> None:
            key = fact.connection if isinstance(fact, ConnectionDeclared) else fact.token
            await producer.send_and_wait(CONNECTIONS.name, encode(fact), key=key.encode())
            self.access.learn(fact)  # the others read it from Kafka

        try:
            yield tell
        finally:
            await producer.stop()
