"""What becomes of replies when the role is killed, at each step: with a key that the vendor knows exactly once, without
one at most once, and what nobody knows is said."""

import asyncio
import signal
from collections import Counter
from itertools import count

import pytest

from crm.topics import JOURNAL, journal_partition
from services.outbound.queues import FIRST
from services.stack.process import ended, until
from tests.simulator.sending import Taken
from tests.support.outbound_world import states
from tests.support.reply_world import ReplyWorld, reply_world
from tests.support.timeouts import TIMEOUT

# What was reported of the first of two replies of a conversation: how often it came to the vendor's customer, and what
# the journal hears. Resend knows a repetition by its key.
FATES = {
    ("planned", "telegram"): (1, {"accepted 1": 1}),
    ("begun", "telegram"): (0, {"uncertain 1": 1}),
    ("taken", "telegram"): (1, {"uncertain 1": 1}),
    ("reported", "telegram"): (1, {"accepted 1": 1, "uncertain 1": 1}),  # the first of them counts
    ("begun", "resend"): (1, {"accepted 1": 1}),
    ("taken", "resend"): (1, {"accepted 1": 1}),
    ("reported", "resend"): (1, {"accepted 1": 1}),
}


@pytest.mark.parametrize(("step", "connector"), FATES)
def test_a_reply_survives_a_death_or_nobody_claims_to_know(
    kafka_bootstrap: str, fresh_database_url: str, step: str, connector: str
) -> None:
    arrived, reported = FATES[step, connector]

    async def run() -> None:
        async with reply_world(kafka_bootstrap, fresh_database_url, connector) as world:
            chat = "olena@example.net" if connector == "resend" else "77"
            first, second = (world.reply(connector, chat, n) for n in range(2))
            async with world.process(step) as dying:
                await world.commit(first, second)
                assert await ended(dying) == -signal.SIGKILL
            async with world.process():
                uncertain = int("uncertain 1" in reported)
                await world.settled({"delivered": 2 - uncertain} | ({"uncertain": 1} if uncertain else {}))
            assert world.vendors.texts(chat) == [f"{chat}/0"] * arrived + [f"{chat}/1"]
            found = await world.reported()
            assert found == {f"{chat}/0": Counter(reported), f"{chat}/1": Counter({"accepted 1": 1})}

    asyncio.run(run())


EACH = 3  # replies of a chat
REPLICAS = "12"


def test_of_two_replicas_one_takes_over_and_each_reply_is_sent_once(
    kafka_bootstrap: str, fresh_database_url: str
) -> None:
    """What hangs at the vendor when a replica dies may have arrived: only that is uncertain, and a person has it sent
    again.

    Each replica has as many chats as it asks one connection at once. With more of them those that wait were sent when
    the first had hung for half a minute, and the test waited for a number that hung at one moment, or at none.
    """

    async def run() -> None:
        async with reply_world(kafka_bootstrap, fresh_database_url, "whatsapp") as world:
            hanging: set[str] = set()
            opened = asyncio.Event()

            async def hang(one: Taken) -> None:
                if not opened.is_set():
                    hanging.add(one.text)
                    await opened.wait()

            world.vendors.answers = hang
            async with world.process(instance="1") as first, world.process(instance="2"):
                await until(lambda: shared(world), TIMEOUT)
                of_first, of_second = await chats_of_each(world)
                chats = [*of_first, *of_second]
                firsts = {f"{chat}/0" for chat in chats}

                async def all_hang() -> str | None:
                    return None if hanging == firsts else f"{hanging}, not {firsts}"

                async def all_final() -> str | None:
                    found = await states(world.journal)
                    left = len(chats) * EACH - found.get("delivered", 0) - found.get("uncertain", 0)
                    return f"{found}" if left else None

                for number in range(EACH):
                    await world.commit(*(world.reply("whatsapp", chat, number) for chat in chats))
                await until(all_hang, TIMEOUT)
                first.send_signal(signal.SIGKILL)
                await ended(first)
                opened.set()
                await until(all_final, TIMEOUT)
            found = await world.reported()
            doubted = {text for text, outcomes in found.items() if outcomes["uncertain 1"]}
            assert doubted == {f"{chat}/0" for chat in of_first}
            assert all(sum(outcomes.values()) == 1 for outcomes in found.values())
            assert len(found) == len(chats) * EACH
            for chat in chats:
                assert world.vendors.texts(chat) == [f"{chat}/{n}" for n in range(EACH)]
            assert max(Counter(one.text for one in world.vendors.taken).values()) == 1

            async with world.process(instance="2"):
                await world.commit(*(world.again(text) for text in sorted(doubted)))
                await world.settled({"delivered": len(chats) * EACH})
            times = Counter(one.text for one in world.vendors.taken)
            assert {text for text, n in times.items() if n == 2} == doubted
            assert sum(times.values()) == len(chats) * EACH + len(doubted)

    asyncio.run(run())


async def chats_of_each(world: ReplyWorld) -> list[list[str]]:
    """Returns chats whose replies each replica sends, as many as it asks one connection at once."""
    owners = await world.owners()
    found: dict[str, list[str]] = {replica: [] for replica in REPLICAS}
    for number in count():
        if all(len(chats) == FIRST for chats in found.values()):
            return list(found.values())
        chat = f"38050{number:07}"
        chats = found[owners[journal_partition(world.card(chat))]]
        if len(chats) < FIRST:
            chats.append(chat)
    raise AssertionError("unreachable")


async def shared(world: ReplyWorld) -> str | None:
    """Returns None once each replica has leased partitions."""
    found = await world.owners()
    return None if set(found.values()) == set(REPLICAS) and len(found) == JOURNAL.partitions else f"{found}"


def test_a_process_that_is_stopped_waits_for_what_is_on_its_way(kafka_bootstrap: str, fresh_database_url: str) -> None:
    """Each update of Potik once left the replies that were just being sent in doubt."""

    async def run() -> None:
        async with reply_world(kafka_bootstrap, fresh_database_url, "telegram") as world:
            came, answered = asyncio.Event(), asyncio.Event()

            async def slow(_: Taken) -> None:
                came.set()
                await answered.wait()

            world.vendors.answers = slow
            async with world.process() as stopped:
                await world.commit(world.reply("telegram", "77", 0), world.reply("telegram", "77", 1))
                await asyncio.wait_for(came.wait(), TIMEOUT)
                stopped.send_signal(signal.SIGTERM)
                answered.set()
                assert await ended(stopped) == 0
                await world.settled({"delivered": 1, "waiting": 1})
            async with world.process():
                await world.settled({"delivered": 2})
            assert world.vendors.texts("77") == ["77/0", "77/1"]
            assert await world.reported() == {f"77/{n}": Counter({"accepted 1": 1}) for n in range(2)}

    asyncio.run(run())
