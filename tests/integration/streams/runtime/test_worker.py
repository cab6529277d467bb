"""The loop of the stream roles with Faust, Kafka and Postgres: each record takes effect exactly once despite kills."""

import asyncio
import signal
from collections import Counter

import httpx

from services.stack.ports import LOCAL
from services.stack.process import stop
from tests.support.counted_topic import CHUNK, CountedTopic
from tests.support.timeouts import TIMEOUT

RECORDS = 5_000
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


def test_each_record_takes_effect_exactly_once(counted: CountedTopic) -> None:
    """Two workers; kills, a freeze, cut connections, and one transaction in twenty fails.

    They start before their topic exists. A worker that joined its group then was once never assigned a partition.
    """

    async def run() -> None:
        counted.start(1)
        counted.start(2)
        await counted.wait_for_output(1, "waiting for topics")
        await counted.create_topic()
        for turn in range(RECORDS // CHUNK):
            await counted.produce(turn * CHUNK)
            await counted.wait_for_count(turn * CHUNK + 1)
            fault(turn)
        await counted.wait_for_count(RECORDS)

    def fault(turn: int) -> None:
        match turn:
            case 1 | 5:
                counted.kill(1)
            case 3:
                counted.workers[2].send_signal(signal.SIGSTOP)
            case 4:
                counted.workers[2].send_signal(signal.SIGCONT)
            case 7:
                counted.kill(2)
            case _:
                counted.db.execute(CUT, [counted.db.info.dbname])

    asyncio.run(run())
    effects = counted.effects()
    assert [id for id, times in effects.items() if times > 1] == []
    assert {str(n) for n in range(RECORDS)} - effects.keys() == set()
    assert counted.processed() == RECORDS


def test_a_role_serves_its_health_and_stops_on_sigterm(counted: CountedTopic) -> None:
    async def run() -> tuple[list[httpx.Response], bool]:
        await counted.create_topic()
        counted.start(1)
        await counted.produce(0)
        await counted.wait_for_count(CHUNK)
        async with httpx.AsyncClient(
            base_url=f"http://{LOCAL}:{counted.ports[1]}", trust_env=False, timeout=TIMEOUT
        ) as http:
            answers = [await http.get(path) for path in ("/livez", "/readyz", "/metrics", "/else")]
        return answers, await stop(counted.workers[1], signal.SIGTERM, TIMEOUT)

    answers, by_itself = asyncio.run(run())
    assert [a.status_code for a in answers] == [200, 200, 200, 404]
    assert f'crm_records_handled_total{{consumer="{counted.topic}"}} {CHUNK}.0\n' in answers[2].text
    assert by_itself
    assert counted.workers[1].returncode == 0
    assert "Starting..." not in counted.log(1).read_text()
    assert counted.effects() == Counter({str(n): 1 for n in range(CHUNK)})
