"""`crm bench peers`: the same facts decided and projected here, with eventsourcing and with Emmett, in turns.

Each run is a process of its own, on a database of its own of one Postgres with the settings of `crm up`, without Kafka.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any
from uuid import uuid4

import psycopg
import typer
import uvloop
from msgspec.json import decode, encode

from crm.facts import CallReported, FormSubmitted, PaymentReported
from crm.scalars import Id
from services.cli import output as show
from services.cli.options import Json
from tests.bench import npm
from tests.bench.bench_servers import bench_servers, scratch_folder
from tests.bench.growth import bare_database, loop_on, made_database
from tests.bench.machine import machine
from tests.bench.processor import per_one, processor_us
from tests.bench.progress import progress_printer
from tests.bench.rivals.install import install
from tests.support.workload.facts import mixed_facts

EMMETT, BATCH = Path(__file__).parent / "rivals" / "emmett", 500
COUNTS = """
SELECT (SELECT count(*) FROM read.contact), (SELECT count(*) FROM read.deal), (SELECT count(*) FROM read.call),
  (SELECT count(*) FROM read.message), (SELECT sum(paid_minor) FROM read.deal)::bigint"""
WHAT = ("contacts", "deals", "calls", "messages", "paid_minor")
SLOW = 10  # times fewer facts for what saves each alone


def run(command: Sequence[str], dsn: str, facts: int, batch: int) -> dict[str, Any]:
    """Returns figures of one process. Raises ValueError with the end of what it said when it fails."""
    given = b"\n".join(encode(lean(fact)) for fact in mixed_facts(Id(str(uuid4())), facts))
    before = processor_us()
    done = subprocess.run([*command, dsn, str(facts), str(batch)], input=given, capture_output=True)
    if done.returncode:
        raise ValueError(f"`{' '.join(command)}` failed:\n{done.stderr.decode()[-2_000:]}")
    said, taken = decode(done.stdout), per_one(before, facts)
    return {
        "facts": facts,
        "facts_per_s": round(facts / said["seconds"]),
        "processor us a fact": round(said["processor"] / facts * 1e6) + taken["postgres"],
        "of it Postgres": taken["postgres"],
        **dict(zip(WHAT, said["counts"], strict=True)),
    }


def lean(fact: Any) -> dict[str, Any]:
    """What a program that cannot read our Avro gets of a fact, on its standard input."""
    match fact:
        case FormSubmitted(name=name, phones=(phone, *_), reference=reference, amount_minor=amount):
            return {"kind": "form", "name": name, "phone": phone.e164, "reference": reference, "amount": amount}
        case PaymentReported(reference=reference, amount_minor=amount):
            return {"kind": "payment", "reference": reference, "amount": amount}
        case CallReported(call=call, phone=phone, phase=phase):
            return {"kind": "call", "key": call, "phone": phone.e164, "phase": phase}
    return {"kind": "chat", "key": fact.chat, "name": fact.sender_name, "text": fact.text}


def peers(
    facts: Annotated[int, typer.Option(min=1_000, help="Of the mixture, in each run.")] = 20_000,
    runs: Annotated[int, typer.Option(min=1, help="Of each.")] = 3,
    json: Json = False,
) -> None:
    """The same facts decided and projected by Potik, by the library eventsourcing and by Emmett, without Kafka."""
    report = progress_printer(json)
    ours = [sys.executable, "-m", "tests.bench.peers"]
    eventsourcing = [str(install(report)), "-m", "tests.bench.rivals.eventsourcing_story"]
    emmett = npm.install("Emmett", EMMETT, "story.mjs", report)
    all = {
        "Potik": (ours, facts, BATCH),
        "eventsourcing, batches by hand": (eventsourcing, facts, BATCH),
        "eventsourcing, as documented": (eventsourcing, facts // SLOW, 1),
        "Emmett, batches by hand": (emmett, facts, BATCH),
        "Emmett, as documented": (emmett, facts // SLOW, 1),
    }

    async def measured() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with scratch_folder() as folder:
            async with bench_servers(folder) as servers:
                for number in range(runs):
                    for name, (command, count, batch) in all.items():
                        make = made_database if command == ours else bare_database
                        dsn = make(servers.dsn, f"peer_{len(found)}")
                        figures = await asyncio.to_thread(run, command, dsn, count, batch)
                        found.append({"run": number + 1, "who": name, **figures})
                        report(str(found[-1]))
        return found

    found = asyncio.run(measured())
    speed = {name: median(one["facts_per_s"] for one in found if one["who"] == name) for name in all}
    show.print_json(
        {
            "command": f"crm bench peers --facts {facts} --runs {runs}",
            "machine": machine(),
            "settings": {"mixture": "2 forms, 1 payment, 3 call reports, 4 messages of 10", "batch": BATCH},
            "medians": {
                name: {"facts_per_s": speed[name], "potik_times": round(speed["Potik"] / speed[name], 2)}
                for name in all
            },
            "runs": found,
        }
    )


async def story(dsn: str, facts: int) -> None:
    """Prints the seconds and the counts of a run here."""
    async with loop_on(dsn, Id(str(uuid4())), facts) as loop:
        batches = [*loop.records]  # made before the clock runs
        loop.records = iter(batches)
        began, own = time.perf_counter(), time.process_time()
        await loop.go(facts)
        seconds, processor = time.perf_counter() - began, time.process_time() - own
    with psycopg.connect(dsn) as conn:
        counts = conn.execute(COUNTS).fetchone()
    print(encode({"seconds": seconds, "processor": processor, "counts": counts}).decode())


if __name__ == "__main__":
    uvloop.run(story(sys.argv[1], int(sys.argv[2])))
