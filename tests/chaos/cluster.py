"""The whole stack as child processes of the harness; each process can be killed, frozen or kept stopped."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals
from urllib.parse import urlsplit

from crm.settings import Settings
from services.stack import kafka
from services.stack.kafka import Kafka
from services.stack.managed_process import ManagedProcess
from services.stack.ports import LOCAL, any_free
from services.stack.postgres import Postgres
from services.stack.process import ended, until
from services.stack.role import ROLES, Role
from services.stack.supervisor import Plan, Say, Supervisor, locked
from tests.chaos.brokers import Broker, brokers
from tests.chaos.proxy import Proxy
from tests.chaos.small_disk import SmallDisk

SERVERS = ("kafka", "postgres")
SERVER_VARIABLES = ("KAFKA_BOOTSTRAP", "DATABASE_URL")  # nobody breaks servers that others use, or measures on them
PATIENCE = 120.0  # seconds for a part to be ready
Link = tuple[str, str]  # from a role to a server


def plan(
    data: Path,
    environment: Mapping[str, str],
    replicas: Mapping[str, int] | None = None,
    roles: Mapping[str, str] | None = None,
    brokers: int = 1,
) -> Plan:
    """Returns a plan on free ports, in which a killed part restarts at once. `roles` overrides the roles' modules."""
    settings = replace(Settings.read({}), intake_port=any_free(), api_port=any_free(), kafka_replication=brokers)
    return Plan(
        data=data,
        settings=settings,
        environment={name: value for name, value in environment.items() if name not in SERVER_VARIABLES},
        kafka_port=0,
        postgres_port=0,
        replicas=replicas or {},
        roles={**ROLES, **(roles or {})},
        roles_in_time=PATIENCE,
        steady=0.0,
        demo=False,
    )


class Cluster(Supervisor):
    """A supervisor that can break its parts. Each of `links` goes through a proxy."""

    def __init__(self, plan: Plan, say: Say, links: tuple[Link, ...] = ()) -> None:
        super().__init__(plan, say)
        self.folders: dict[str, Path] = {}  # where a server's data lies, if not in the plan's
        self.wraps: dict[str, Callable[[list[str]], list[str]]] = {}  # what a server's command is run by
        self.disk: SmallDisk | None = None
        self.switch = plan.data / "switch"  # a file that wrapped processes look at
        self.behind: dict[str, int] = {}  # the ports of Kafka that proxies lead to, by role
        self.proxies: dict[Link, Proxy] = {}
        self.joined_replicas = 100  # instances that joined; none has been there before
        for role, server in links:
            if server == "kafka":
                self.behind[role] = any_free()
            self.proxies[role, server] = Proxy(partial(self.port_behind, role, server))

    async def start(self) -> None:
        for proxy in self.proxies.values():
            await proxy.start()
        await super().start()

    async def stop(self) -> None:
        for proxy in self.proxies.values():
            proxy.heal()
        await super().stop()
        for proxy in self.proxies.values():
            await proxy.stop()

    async def start_servers(self) -> None:
        """Starts several brokers where the plan wants each topic several times."""
        if (copies := self.plan.settings.kafka_replication) > 1:
            cluster = brokers(self.plan.data, await kafka.prepare(lambda text: self.say("kafka", text)), copies)
            for broker in cluster:
                self.keep(broker, self.servers)
            self.bootstrap = ",".join(broker.bootstrap for broker in cluster)
        await super().start_servers()

    @property
    def brokers(self) -> list[Broker]:
        return [keeper.part for keeper in self.servers if isinstance(keeper.part, Broker)]

    def port_behind(self, role: str, server: str) -> int:
        return self.behind[role] if server == "kafka" else self.postgres.port

    def broker(self, port: int, jars: Path) -> Kafka:
        links = {role.upper(): (at, self.proxies[role, "kafka"].port) for role, at in self.behind.items()}
        broker = Kafka(self.folders.get("kafka", self.plan.data) / "kafka", port, jars, links)
        broker.wrap = self.wraps.get("kafka", list)
        return broker

    def database(self, port: int) -> Postgres:
        server = Postgres(self.folders.get("postgres", self.plan.data) / "postgres", port)
        server.wrap = self.wraps.get("postgres", list)
        return server

    def environment_of(self, role: str) -> Mapping[str, str]:
        environment = {**super().environment_of(role), "CRM_CLOCK_FILE": str(self.switch), "CRM_WEBHOOK_HOSTS": LOCAL}
        if proxy := self.proxies.get((role, "kafka")):
            environment["KAFKA_BOOTSTRAP"] = f"{LOCAL}:{proxy.port}"
        if proxy := self.proxies.get((role, "postgres")):
            parts = urlsplit(self.dsn)
            host = parts.netloc.rpartition(":")[0]
            environment["DATABASE_URL"] = parts._replace(netloc=f"{host}:{proxy.port}").geturl()
        return environment

    @property
    def postgres(self) -> Postgres:
        return next(keeper.part for keeper in self.servers if isinstance(keeper.part, Postgres))

    @property
    def intake_urls(self) -> list[str]:
        return self.urls("intake")

    @property
    def graphql_urls(self) -> list[str]:
        return [f"{url}/graphql" for url in self.urls("api")]

    def urls(self, role: str) -> list[str]:
        """Returns the URL of each replica. A replica keeps its port when it restarts."""
        return [f"http://{LOCAL}:{part.environment[f'CRM_{role.upper()}_PORT']}" for part in self.replicas(role)]

    def replicas(self, role: str) -> list[Role]:
        parts = [keeper.part for keeper in self.roles]
        return [part for part in parts if isinstance(part, Role) and part.role == role]

    def keeper(self, name: str) -> ManagedProcess:
        """Returns the keeper of a server, a role or a replica (`decide-2`)."""
        return next(keeper for keeper in (*self.servers, *self.roles) if keeper.part.name == name)

    def send_signal(self, name: str, number: Signals) -> None:
        if process := self.keeper(name).part.process:
            process.send_signal(number)

    async def kill(self, name: str, by: Signals = SIGKILL) -> float:
        """Sends the signal and waits for the end; its keeper restarts it. Returns the time of the signal."""
        process, at = self.keeper(name).part.process, time.monotonic()
        assert process
        process.send_signal(by)
        async with asyncio.timeout(PATIENCE):
            await ended(process)
        return at

    def freeze(self, name: str) -> float:
        self.send_signal(name, SIGSTOP)
        return time.monotonic()

    def thaw(self, name: str) -> None:
        self.send_signal(name, SIGCONT)

    def hold(self, name: str) -> None:
        """Keeps the part stopped once it ends, until `release`."""
        self.keeper(name).wanted.clear()

    def release(self, name: str) -> None:
        self.keeper(name).wanted.set()

    async def wait_until_ready(self, name: str) -> float:
        """Waits until the restarted part is ready and returns that time."""
        part = self.keeper(name).part

        async def missing() -> str | None:
            if not part.process or part.process.poll() is not None:
                return f"{name} does not run"
            return await part.ready()

        await until(missing, PATIENCE)
        return time.monotonic()

    async def run_as(self, name: str, module: str, environment: Mapping[str, str] | None = None) -> float:
        """Restarts the role as another module or in another environment. Returns the time when it is ready."""
        part = self.keeper(name).part
        assert isinstance(part, Role)
        part.module = module
        part.environment |= environment or {}
        await self.kill(name, SIGTERM)
        return await self.wait_until_ready(name)

    def join(self, role: str) -> str:
        """Starts one more replica and returns its name."""
        self.joined_replicas += 1
        self.start_role(role, self.joined_replicas)
        return self.roles[-1].part.name

    async def leave(self, name: str) -> None:
        keeper = self.keeper(name)
        self.roles.remove(keeper)
        await keeper.stop()


@contextlib.asynccontextmanager
async def running_cluster(cluster: Cluster) -> AsyncIterator[Cluster]:
    """Starts the cluster; stops it in order when the block ends."""
    with locked(cluster.plan.data):
        try:
            await cluster.start()
            yield cluster
        finally:
            await cluster.stop()
