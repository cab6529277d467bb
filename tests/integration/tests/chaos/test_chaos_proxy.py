"""The network of the harness: it forwards, delays, cuts and drops, and clients reach Kafka only through it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from services.stack import kafka, topics
from services.stack.kafka import Kafka
from services.stack.ports import LOCAL, any_free
from services.stack.process import stop, until
from tests.chaos.proxy import Proxy
from tests.support.servers import IN_CONTAINERS
from tests.support.timeouts import TIMEOUT


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Proxy, list[str]]]:
    """An echo server behind a proxy, and how its connections ended."""
    seen: list[str] = []

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        seen.append("came")
        try:
            while data := await reader.read(100):
                writer.write(data)
        except ConnectionError:
            pass
        seen.append("went")
        writer.close()

    server = await asyncio.start_server(answer, LOCAL, 0)
    proxy = Proxy(lambda: server.sockets[0].getsockname()[1])
    await proxy.start()
    async with server:
        try:
            yield proxy, seen
        finally:
            await proxy.stop()


Connect = Callable[[], Awaitable[tuple[StreamReader, StreamWriter]]]


@asynccontextmanager
async def clients(proxy: Proxy) -> AsyncIterator[Connect]:
    """Connections through the proxy; all are closed at the end."""
    writers: list[StreamWriter] = []

    async def connect() -> tuple[StreamReader, StreamWriter]:
        reader, writer = await asyncio.open_connection(LOCAL, proxy.port)
        writers.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in writers:
            writer.transport.abort()


async def said_back(reader: StreamReader, writer: StreamWriter, word: bytes) -> bytes:
    writer.write(word)
    async with asyncio.timeout(TIMEOUT):
        return await reader.readexactly(len(word))


async def is_reset(reader: StreamReader) -> bool:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await reader.read(1) == b""
    except ConnectionResetError:
        return True


def test_it_carries_both_directions() -> None:
    async def go() -> None:
        async with echo() as (proxy, _), clients(proxy) as connect:
            assert await said_back(*await connect(), b"word") == b"word"

    asyncio.run(go())


def test_a_cut_resets_and_refuses_until_it_is_healed() -> None:
    async def go() -> None:
        async with echo() as (proxy, seen), clients(proxy) as connect:
            before = await connect()
            assert await said_back(*before, b"word") == b"word"
            proxy.cut()
            assert await is_reset(before[0])
            assert await is_reset((await connect())[0])
            proxy.heal()
            assert await said_back(*await connect(), b"again") == b"again"
            assert seen == ["came", "went", "came"]

    asyncio.run(go())


def test_in_silence_nobody_hears_of_the_others_end() -> None:
    """Half-open: the server keeps a session, with its locks, whose client has gone."""

    async def go() -> None:
        async with echo() as (proxy, seen), clients(proxy) as connect:
            reader, writer = await connect()
            assert await said_back(reader, writer, b"word") == b"word"
            proxy.deafen()
            writer.write(b"lost")
            writer.close()
            await writer.wait_closed()
            late_reader, late = await connect()
            late.write(b"lost too")
            await late.drain()
            assert seen == ["came"]
            proxy.heal()
            assert await is_reset(late_reader)
            assert await said_back(*await connect(), b"again") == b"again"
            assert seen == ["came", "went", "came"]

    asyncio.run(go())


@pytest.mark.skipif(IN_CONTAINERS, reason="containers have no second listener")
def test_kafka_is_met_through_the_proxy_alone(tmp_path: Path) -> None:
    """Kafka advertises an address to its clients: with its own, they would bypass the proxy."""

    async def go() -> None:
        behind = any_free()
        proxy = Proxy(lambda: behind)
        await proxy.start()
        server = Kafka(tmp_path / "kafka", any_free(), jars, {"DECIDE": (behind, proxy.port)})
        process = server.start()
        try:
            await until(server.ready, 180)
            await topics.create_missing(server.bootstrap)
            async with AIOKafkaProducer(bootstrap_servers=f"{LOCAL}:{proxy.port}") as producer:
                sent = await producer.send_and_wait("crm.intake.forms", b"through", partition=0)
                assert sent.offset == 0
                proxy.cut()
                cut = asyncio.create_task(producer.send_and_wait("crm.intake.forms", b"held", partition=0))
                async with AIOKafkaProducer(bootstrap_servers=server.bootstrap) as direct:
                    past = await direct.send_and_wait("crm.intake.forms", b"past it", partition=0)
                assert (past.offset, cut.done()) == (1, False)
                proxy.heal()
                assert (await cut).offset == 2
        finally:
            await stop(process, server.stop_by, server.patience)
            await proxy.stop()

    jars = asyncio.run(kafka.prepare(print))
    asyncio.run(go())
