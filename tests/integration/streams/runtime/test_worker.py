"""The loop of the stream roles with Faust, Kafka and Postgres: each record takes effect exactly once, whoever dies."""

import asyncio
import signal
from collections import Counter

import httpx

from services.stack.ports import LOCAL
from services.stack.process import stop
from tests.support.counted_topic import CHUNK, Counted
from tests.support.patience import PATIENCE

RECORDS = 5_000
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


def test_each_record_takes_effect_exactly_once(counted: Counted) -> None:
    """Two workers; kills, a freeze, cut connections, and one transaction in twenty fails.

    They start before their topic exists. Who joined its group then was once assigned nothing, and kept that.
    """

    async def run() -> None:
        counted.start(1)
        counted.start(2)
        await counted.hears(1, "waiting for topics")
        await counted.create_topic()
        for turn in range(RECORDS // CHUNK):
            await counted.produce(turn * CHUNK)
            await counted.reached(turn * CHUNK + 1)
            fault(turn)
        await counted.reached(RECORDS)

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
    assert counted.passed() == RECORDS


def test_a_role_answers_for_itself_and_stops_when_told(counted: Counted) -> None:
    async def run() -> tuple[list[httpx.Response], bool]:
        await counted.create_topic()
        counted.start(1)
        await counted.produce(0)
        await counted.reached(CHUNK)
        async with httpx.AsyncClient(
            base_url=f"http://{LOCAL}:{counted.ports[1]}", trust_env=False, timeout=PATIENCE
        ) as http:
            answers = [await http.get(path) for path in ("/livez", "/readyz", "/metrics", "/else")]
        return answers, await stop(counted.workers[1], signal.SIGTERM, PATIENCE)

    answers, by_itself = asyncio.run(run())
    assert [a.status_code for a in answers] == [200, 200, 200, 404]
    assert f'crm_records_handled_total{{consumer="{counted.topic}"}} {CHUNK}.0\n' in answers[2].text
    assert by_itself
    assert counted.workers[1].returncode == 0
    assert "Starting..." not in counted.log(1).read_text()
    assert counted.effects() == Counter({str(n): 1 for n in range(CHUNK)})
