"""`crm up`: Kafka and Postgres, topics and tables, then the roles; and all of it down again, in order."""

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from crm.settings import Settings
from services.stack import kafka, state
from services.stack.keeper import STEADY, Keeper, Part
from services.stack.ports import any_free, choose
from services.stack.postgres import Postgres
from services.stack.role import ROLES, Role

SERVERS_IN_TIME = 60.0  # seconds
Say = Callable[[str, str], None]  # who, what


@dataclass(frozen=True)
class Plan:
    """What to run. A harness gives its own folder, ports, replicas and modules."""

    data: Path
    settings: Settings
    environment: Mapping[
        str, str
    ]  # of the roles; with KAFKA_BOOTSTRAP or DATABASE_URL that server is used, not started
    kafka_port: int = 9092
    postgres_port: int = 5432
    replicas: Mapping[str, int] = field(default_factory=dict)  # of a role; 1 each unless told
    roles: Mapping[str, str] = field(default_factory=lambda: ROLES)
    roles_in_time: float = 60.0  # seconds until all must be ready
    steady: float = STEADY  # seconds of being ready after which a part that dies comes back at once
    demo: bool = True


class Supervisor:
    """Runs a plan until SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, plan: Plan, say: Say) -> None:
        self.plan, self.say = plan, say
        self.began = time.monotonic()
        self.servers: list[Keeper] = []
        self.roles: list[Keeper] = []
        self.intake_port, self.api_port = plan.settings.intake_port, plan.settings.api_port
        self.bootstrap = plan.environment.get("KAFKA_BOOTSTRAP", "")
        self.dsn = plan.environment.get("DATABASE_URL", "")
        self.ready_after = 0.0
        self.ended = False
        self.building: asyncio.Task[None] | None = None

    async def run(self, ready: Callable[["Supervisor"], None]) -> None:
        """Calls `ready` once all roles are. Raises AlreadyRuns, or RuntimeError with why it could not start."""
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        with held(self.plan.data):
            await self.end_leftovers()
            try:
                start = asyncio.create_task(self.start())
                halt = asyncio.create_task(stopping.wait())
                await asyncio.wait([start, halt], return_when=asyncio.FIRST_COMPLETED)
                if start.done():
                    start.result()
                    ready(self)
                    await halt
                else:
                    start.cancel()
                    await asyncio.wait([start])
            finally:
                await self.stop()

    async def start(self) -> None:
        await self.start_servers()
        # Imported here: a harness with roles of its own needs neither.
        from services.stack import behind
        from services.stack.setup import topics_and_tables

        def told(text: str) -> None:
            self.say("rebuild", text)

        await topics_and_tables(self.bootstrap, self.dsn, self.plan.settings.kafka_replication)
        names = await asyncio.to_thread(behind.claim, self.dsn, told)
        self.start_roles()
        self.building = asyncio.create_task(behind.build(self.bootstrap, self.dsn, names, told))
        await self.until_ready(self.roles, self.plan.roles_in_time)
        if self.plan.demo:
            from services.stack.demo_workspace import demo_workspace

            await demo_workspace(self.plan.data, self.bootstrap, self.dsn)
        self.ready_after = time.monotonic() - self.began
        self.publish()

    async def start_servers(self) -> None:
        """Both at the same time, unless the environment names servers that run already."""
        broker = postgres = None
        if not self.bootstrap:
            jars = await kafka.prepare(lambda text: self.say("kafka", text))
            self.began = time.monotonic()
            port = choose("Kafka", self.plan.kafka_port, lambda text: self.say("kafka", text))
            broker = self.broker(port, jars)
            self.keep(broker, self.servers)
        if not self.dsn:
            port = choose("Postgres", self.plan.postgres_port, lambda text: self.say("postgres", text))
            postgres = self.database(port)
            self.keep(postgres, self.servers)
        await self.until_ready(self.servers, SERVERS_IN_TIME)
        self.bootstrap = broker.bootstrap if broker else self.bootstrap
        self.dsn = postgres.dsn if postgres else self.dsn

    def broker(self, port: int, jars: Path) -> kafka.Kafka:
        return kafka.Kafka(self.plan.data / "kafka", port, jars)

    def database(self, port: int) -> Postgres:
        return Postgres(self.plan.data / "postgres", port)

    def start_roles(self) -> None:
        self.intake_port = choose("Intake", self.intake_port, lambda text: self.say("intake", text))
        self.api_port = choose("The API", self.api_port, lambda text: self.say("api", text))
        for role in self.plan.roles:
            for instance in range(1, self.plan.replicas.get(role, 1) + 1):
                self.start_role(role, instance)

    def start_role(self, role: str, instance: int) -> None:
        own_port = {} if instance == 1 else other_port(role)
        part = Role(role, self.plan.roles[role], instance, {**self.environment_of(role), **own_port})
        self.keep(part, self.roles)

    def environment_of(self, role: str) -> Mapping[str, str]:
        return {
            "CRM_ARCHIVE": str(self.plan.data / "archive"),
            **self.plan.environment,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "DATABASE_URL": self.dsn,
            "CRM_INTAKE_PORT": str(self.intake_port),
            "CRM_API_PORT": str(self.api_port),
        }

    def keep(self, part: Part, among: list[Keeper]) -> None:
        keeper = Keeper(part, self.say, self.publish, self.plan.steady)
        among.append(keeper)
        keeper.begin()

    async def until_ready(self, keepers: list[Keeper], patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*(keeper.is_ready.wait() for keeper in keepers))
        except TimeoutError:
            late = "; ".join(f"{k.part.name}: {k.missing}{k.hint}" for k in keepers if not k.is_ready.is_set())
            raise RuntimeError(f"Not ready after {patience:.0f} s: {late}. All is stopped, the data kept.") from None

    async def stop(self) -> None:
        """Roles in the order of the plan, replicas of one role together; then the servers."""
        if self.building:
            self.building.cancel()
            await asyncio.wait([self.building])
        for role in self.plan.roles:
            replicas = [keeper for keeper in self.roles if isinstance(keeper.part, Role) and keeper.part.role == role]
            await asyncio.gather(*(keeper.stop() for keeper in replicas))
        await asyncio.gather(*(keeper.stop() for keeper in reversed(self.servers)))
        self.ended = True
        state.path(self.plan.data).unlink(missing_ok=True)

    async def end_leftovers(self) -> None:
        """A supervisor that was killed leaves servers that are just stopping: wait for them, then end them."""
        left = list(state.leftovers(self.plan.data))
        if left:
            self.say("crm", f"The last run was killed; waiting for {len(left)} of its processes to end")
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.terminate()
            _, deaf = await asyncio.to_thread(psutil.wait_procs, left, 15)
            for process in deaf:
                process.kill()

    def publish(self) -> None:
        """Tells `crm status` and the others where everything is."""
        if self.ended:  # a part that is looked at once more when all has stopped leaves no file behind
            return
        told = state.StackState(
            pid=os.getpid(),
            born=state.born(os.getpid()),
            data=str(self.plan.data),
            kafka_bootstrap=self.bootstrap,
            database_url=self.dsn,
            intake_url=self.intake_url,
            api_url=self.api_url,
            graphql_url=f"{self.api_url}/graphql",
            parts=[keeper.as_state() for keeper in (*self.servers, *self.roles)],
            ready=self.ready_after > 0,
            ready_after=round(self.ready_after, 2),
        )
        state.write(self.plan.data, told)

    @property
    def intake_url(self) -> str:
        return f"http://{self.plan.settings.host}:{self.intake_port}"

    @property
    def api_url(self) -> str:
        return f"http://{self.plan.settings.host}:{self.api_port}"


def other_port(role: str) -> dict[str, str]:
    """A second intake or api cannot listen where the first one does."""
    return {f"CRM_{role.upper()}_PORT": str(any_free())} if role in ("intake", "api") else {}


@contextlib.contextmanager
def held(data: Path) -> Iterator[None]:
    """The data folder belongs to one supervisor at a time; the kernel lets go of it however that one ends."""
    data.mkdir(parents=True, exist_ok=True)
    folder = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(folder)
        raise state.AlreadyRuns(f"A stack runs on {data}: `crm status` shows it, `crm down` stops it.") from None
    try:
        yield
    finally:
        os.close(folder)
