"""Our own clients on a Kafka that lets nobody in without TLS and a password: each kind of client, and a role."""

import asyncio
import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from crm.adapters.kafka.address import client_options
from crm.adapters.kafka.journal_log import new_producer
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.kafka.reading import open_consumer
from crm.log import Record
from services.cli.doctor.servers import fetch_version
from services.stack import kafka, topics
from services.stack.kafka import Kafka
from services.stack.kafka_probe import why_unreachable
from services.stack.ports import LOCAL, any_free
from services.stack.process import stop, until
from streams.rebuild.read.kafka_source import kafka_client
from tests.support.counted_topic import CHUNK, CountedTopic
from tests.support.servers import IN_CONTAINERS
from tests.support.timeouts import TIMEOUT

pytestmark = [
    pytest.mark.skipif(IN_CONTAINERS, reason="the embedded Kafka gets a listener with TLS"),
    # aiokafka does not wait until its first connection's TLS has said goodbye: a loop that ends before leaves a socket.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
SECURED = """
listener.name.clients.ssl.keystore.type=PEM
listener.name.clients.ssl.keystore.location={keystore}
listener.name.clients.sasl.enabled.mechanisms=PLAIN
listener.name.clients.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_potik="of potik";
"""
DAY = timedelta(days=1)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Writes a key with its certificate for 127.0.0.1, and the certificate alone."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOCAL)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address(LOCAL))])
    authority = x509.BasicConstraints(ca=True, path_length=None)
    signed = builder.add_extension(names, critical=False).add_extension(authority, critical=True).sign(key, SHA256())
    ca, keystore = folder / "ca.pem", folder / "keystore.pem"
    ca.write_bytes(signed.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keystore.write_bytes(private + ca.read_bytes())
    return keystore, ca


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[str]:
    """Yields the KAFKA_BOOTSTRAP of the listener that asks for a password."""
    keystore, ca = certificate(tmp_path)
    port = any_free()
    broker = Kafka(tmp_path / "kafka", any_free(), asyncio.run(kafka.prepare(print)), {"CLIENTS": (port, port)})
    broker.session_ms = 60_000

    def secure(command: list[str]) -> list[str]:
        properties = broker.data / "server.properties"
        text = properties.read_text().replace("CLIENTS:PLAINTEXT", "CLIENTS:SASL_SSL")
        properties.write_text(text + SECURED.format(keystore=keystore))
        return command

    broker.wrap = secure
    process = broker.start()
    try:
        asyncio.run(until(broker.ready, 180))
        yield f"sasl-ssl://potik:of%20potik@{LOCAL}:{port}?mechanism=PLAIN&ca={ca}"
    finally:
        asyncio.run(stop(process, broker.stop_by, broker.patience))
        gc.collect()  # while these warnings are ignored, not in a test that comes later


async def use(bootstrap: str) -> None:
    assert await why_unreachable(bootstrap) is None
    await topics.create_missing(bootstrap)
    assert await fetch_version(bootstrap) > 0
    async with KafkaLog(bootstrap, ["crm.intake.forms"]) as log:

        async def missing() -> str | None:
            return log.missing()

        await until(missing, TIMEOUT)
        await log.send(Record("crm.intake.forms", b"key", b"value"))
    async with open_consumer(bootstrap, "crm.intake.forms", auto_offset_reset="earliest") as consumer:
        assert (await asyncio.wait_for(consumer.getone(), TIMEOUT)).value == b"value"
    producer = new_producer(bootstrap)
    await producer.start()
    await producer.stop()
    client = kafka_client(bootstrap)
    await client.bootstrap()
    await client.close()


def test_every_kind_of_client_signs_in(secured: str) -> None:
    asyncio.run(use(secured))


def test_a_role_signs_in(secured: str, fresh_database_url: str, tmp_path: Path) -> None:
    counted = CountedTopic(secured, fresh_database_url, tmp_path)
    try:
        asyncio.run(topics.create_missing(secured))
        asyncio.run(counted.create_topic())
        asyncio.run(counted.produce(0))
        counted.start(1)
        asyncio.run(counted.wait_for_count(CHUNK))
    finally:
        counted.end()


def test_a_wrong_password_is_said_without_it(secured: str) -> None:
    wrong = secured.replace("of%20potik", "guessed")
    why = asyncio.run(why_unreachable(wrong))
    assert why is not None
    assert f"Kafka does not answer at {client_options(secured)['bootstrap_servers']}" in why
    assert "guessed" not in why
