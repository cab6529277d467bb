"""`crm up`: starts Kafka and Postgres, creates topics and tables, starts the roles, and stops all in order."""

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

from crm.secret_keys import SecretKeys
from crm.settings import Settings
from services.stack import kafka, state
from services.stack.managed_process import STEADY, ManagedProcess, Part
from services.stack.ports import LOCAL, Ports, any_free
from services.stack.postgres import Postgres
from services.stack.role import ROLES, Role
from services.stack.secret_keys import ensure_key

SERVERS_IN_TIME = 60.0  # seconds
Say = Callable[[str, str], None]  # who, what


@dataclass(frozen=True)
class Plan:
    """What to run. A test harness gives its own folder, ports, replicas and modules."""

    data: Path
    settings: Settings
    environment: Mapping[str, str]  # of the roles; KAFKA_BOOTSTRAP and DATABASE_URL name servers that are not started
    kafka_port: int = 9092
    postgres_port: int = 5432
    replicas: Mapping[str, int] = field(default_factory=dict)  # by role; 1 by default
    roles: Mapping[str, str] = field(default_factory=lambda: ROLES)
    on_demand: Mapping[str, str] = field(default_factory=dict)  # roles that start once there is something for them
    roles_in_time: float = 60.0  # seconds until all must be ready
    steady: float = STEADY  # seconds of being ready after which a part that dies is restarted at once
    demo: bool = True


class Supervisor:
    """Runs a plan until SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, plan: Plan, say: Say) -> None:
        self.plan, self.say = plan, say
        self.began = time.monotonic()
        self.servers: list[ManagedProcess] = []
        self.roles: list[ManagedProcess] = []
        self.intake_port, self.api_port = plan.settings.intake_port, plan.settings.api_port
        self.bootstrap = plan.environment.get("KAFKA_BOOTSTRAP", "")
        self.dsn = plan.environment.get("DATABASE_URL", "")
        self.ready_after = 0.0
        self.ended = False
        self.background: list[asyncio.Task[None]] = []
        self.ports = Ports(plan.data, say)
        self.keys = SecretKeys()
        self.demo_port = 0  # of the simulated vendors

    async def run(self, ready: Callable[["Supervisor"], None]) -> None:
        """Calls `ready` once all roles are ready. Raises AlreadyRuns, or RuntimeError with why it could not start."""
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        with locked(self.plan.data):
            await self.end_orphans()
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
        # Imported here: a test harness with its own roles needs neither.
        from services.stack import pending_rebuilds
        from services.stack.setup import topics_and_tables

        def say(text: str) -> None:
            self.say("rebuild", text)

        await topics_and_tables(self.bootstrap, self.dsn, self.plan.settings.kafka_replication)
        await self.encrypt_secrets()
        names = await asyncio.to_thread(pending_rebuilds.claim, self.dsn, say)
        self.start_roles()
        self.background.append(asyncio.create_task(pending_rebuilds.build(self.bootstrap, self.dsn, names, say)))
        await self.until_ready(self.roles, self.plan.roles_in_time)
        self.intake_port = self.port_taken("intake", self.intake_port, self.plan.settings.intake_port)
        self.api_port = self.port_taken("api", self.api_port, self.plan.settings.api_port)
        if self.plan.demo:
            from services.stack.demo_workspace import ensure_demo_workspace

            await ensure_demo_workspace(self.plan.data, self.bootstrap, self.dsn, self.keys)
        self.ready_after = time.monotonic() - self.began
        self.publish()
        for role in self.plan.on_demand:
            self.background.append(asyncio.create_task(self.start_on_demand(role)))

    async def encrypt_secrets(self) -> None:
        """Makes a key at the first start, and encrypts what an earlier release left in clear.

        On servers that run already, roles of that release may still read them: there `crm secrets rotate` does it.
        """
        from services.stack.encryption import encrypt_again

        self.keys = ensure_key(self.plan.data, Settings.read(self.plan.environment))
        if "KAFKA_BOOTSTRAP" not in self.plan.environment and (done := await encrypt_again(self.bootstrap, self.keys)):
            self.say("crm", f"Encrypted the secrets of {len(done)} connections; they were in clear")

    async def start_servers(self) -> None:
        """Starts both at the same time, unless the environment names running servers."""
        broker = postgres = None
        if not self.bootstrap:
            jars = await kafka.prepare(lambda text: self.say("kafka", text))
            self.began = time.monotonic()
            broker = self.broker(self.ports.choose("kafka", self.plan.kafka_port), jars)
            self.keep(broker, self.servers)
        if not self.dsn:
            postgres = self.database(self.ports.choose("postgres", self.plan.postgres_port))
            self.keep(postgres, self.servers)
        await self.until_ready(self.servers, SERVERS_IN_TIME)
        # Their own choice, should a port have been taken between being chosen and being opened.
        if broker:
            self.bootstrap = broker.bootstrap
            self.ports.keep("kafka", self.plan.kafka_port, broker.port)
        if postgres:
            self.dsn = postgres.dsn
            self.ports.keep("postgres", self.plan.postgres_port, postgres.port)

    def broker(self, port: int, jars: Path) -> kafka.Kafka:
        return kafka.Kafka(self.plan.data / "kafka", port, jars)

    def database(self, port: int) -> Postgres:
        return Postgres(self.plan.data / "postgres", port)

    def start_roles(self) -> None:
        self.intake_port = self.ports.choose("intake", self.intake_port)
        self.api_port = self.ports.choose("api", self.api_port)
        if self.plan.demo:
            self.demo_port = self.ports.choose("demo", 0)
        for role in self.plan.roles:
            for instance in range(1, self.plan.replicas.get(role, 1) + 1):
                self.start_role(role, instance)

    async def start_on_demand(self, role: str) -> None:
        environment = self.environment_of(role)
        if role == "imports":
            from services.imports.needed import until_requested

            await until_requested(environment["CRM_IMPORTS"], environment.get("CRM_EXPORTS", ""))
        else:
            from services.polling.needed import until_needed

            await until_needed(self.bootstrap, self.keys)
        self.keep(Role(role, self.plan.on_demand[role], 1, environment), self.roles)

    def port_taken(self, role: str, chosen: int, wanted: int) -> int:
        """Returns the port on which a role listens: its own choice, should the chosen one have been taken meanwhile."""
        parts = [process.part for process in self.roles if process.part.name == role]
        port = next((part.port for part in parts if isinstance(part, Role)), chosen)
        if port != chosen:
            self.ports.say_moved(role, chosen, port)
            self.ports.keep(role, wanted, port)
        return port

    def start_role(self, role: str, instance: int) -> None:
        own_port = {} if instance == 1 else replica_port(role)
        part = Role(role, self.plan.roles[role], instance, {**self.environment_of(role), **own_port})
        self.keep(part, self.roles)

    def environment_of(self, role: str) -> Mapping[str, str]:
        keys = {"CRM_SECRETS_KEY_FILE": str(self.keys.file)} if self.keys.file else {}
        demo = {"CRM_DEMO_DATA": str(self.plan.data), "CRM_WEBHOOK_HOSTS": f"{LOCAL}:{self.demo_port}"}
        return {
            **keys,
            **(demo if self.plan.demo else {}),
            "CRM_ARCHIVE": str(self.plan.data / "archive"),
            "CRM_IMPORTS": str(self.plan.data / "imports"),
            "CRM_STACK": str(state.path(self.plan.data)),
            **self.plan.environment,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "DATABASE_URL": self.dsn,
            "CRM_INTAKE_PORT": str(self.intake_port),
            "CRM_API_PORT": str(self.api_port),
        }

    def keep(self, part: Part, managed: list[ManagedProcess]) -> None:
        process = ManagedProcess(part, self.say, self.publish, self.plan.steady)
        managed.append(process)
        process.begin()

    async def until_ready(self, processes: list[ManagedProcess], patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*(process.is_ready.wait() for process in processes))
        except TimeoutError:
            late = "; ".join(f"{p.part.name}: {p.missing}{p.hint}" for p in processes if not p.is_ready.is_set())
            text = f"Not ready after {patience:.0f} s: {late}. Everything was stopped; the data is kept."
            raise RuntimeError(text) from None

    async def stop(self) -> None:
        """Stops the roles in the order of the plan, replicas of one role together, then the servers."""
        for task in self.background:
            task.cancel()
            await asyncio.wait([task])
        for role in (*self.plan.on_demand, *self.plan.roles):
            replicas = [one for one in self.roles if isinstance(one.part, Role) and one.part.role == role]
            await asyncio.gather(*(replica.stop() for replica in replicas))
        await asyncio.gather(*(server.stop() for server in reversed(self.servers)))
        self.ended = True
        state.path(self.plan.data).unlink(missing_ok=True)

    async def end_orphans(self) -> None:
        """Waits for servers of a supervisor that was killed, which are still stopping, and ends them if necessary."""
        orphans = list(state.orphans(self.plan.data))
        if orphans:
            self.say("crm", f"The last run was killed; waiting for {len(orphans)} of its processes to end")
            for process in orphans:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.terminate()
            _, alive = await asyncio.to_thread(psutil.wait_procs, orphans, 15)
            for process in alive:
                process.kill()

    def publish(self) -> None:
        """Writes `stack.json`, from which other commands learn the addresses."""
        if self.ended:  # a late check of a stopped part must not write the file again
            return
        current = state.StackState(
            pid=os.getpid(),
            born=state.born(os.getpid()),
            data=str(self.plan.data),
            kafka_bootstrap=self.bootstrap,
            database_url=self.dsn,
            intake_url=self.intake_url,
            api_url=self.api_url,
            graphql_url=f"{self.api_url}/graphql",
            parts=[process.as_state() for process in (*self.servers, *self.roles)],
            ready=self.ready_after > 0,
            ready_after=round(self.ready_after, 2),
        )
        state.write(self.plan.data, current)

    @property
    def intake_url(self) -> str:
        return f"http://{self.plan.settings.host}:{self.intake_port}"

    @property
    def api_url(self) -> str:
        return f"http://{self.plan.settings.host}:{self.api_port}"


def replica_port(role: str) -> dict[str, str]:
    """Returns a port of its own for a second intake or api, which cannot listen on the first one's."""
    return {f"CRM_{role.upper()}_PORT": str(any_free())} if role in ("intake", "api") else {}


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Locks the data folder for one supervisor. The kernel releases the lock however the process ends."""
    data.mkdir(parents=True, exist_ok=True)
    folder = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(folder)
        raise state.AlreadyRuns(f"A stack is running on {data}: `crm status` shows it, `crm down` stops it.") from None
    try:
        yield
    finally:
        os.close(folder)
