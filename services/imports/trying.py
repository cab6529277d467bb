"""Tries other rules that the API was asked for: each in a process of its own, of low priority and with bounds."""

import asyncio
import os
import resource
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

import msgspec
import psycopg
import structlog

from crm.adapters.processes import child
from crm.adapters.trial_store import TrialStore
from crm.errors import CrmError
from crm.output import write_out
from crm.settings import Settings
from crm.whatif import Phase, Request, Status
from services.operations.archive.progress import Advance
from services.operations.whatif import deal_outcomes, scratch
from services.operations.whatif.run import simulate
from services.operations.whatif.simulation import Simulation

LOOK_SECONDS = 0.5
COMMAND = sys.executable, "-m", "services.imports.trying"
MEMORY = 4_000_000_000  # bytes of address space
SECONDS = 900  # of the processor
NICE = 19
BY_HAND = "Nothing was kept. `crm whatif run` tries it without these bounds."
TOO_LONG = f"It took more than {SECONDS // 60} minutes of a processor. Choose a shorter period. {BY_HAND}"
TOO_LARGE = f"It needs more memory than there is for it. {BY_HAND}"
WHY = {-signal.SIGXCPU: TOO_LONG, -signal.SIGKILL: TOO_LARGE}  # the last: by the system, or a container's limit
CUT_OFF = f"The program failed at it. {BY_HAND}"
REQUEST = msgspec.json.Decoder(Request)
SAID = msgspec.json.Decoder(Status)
logger = structlog.get_logger()


async def try_as_wanted(store: TrialStore) -> None:
    """Never returns."""
    while True:
        try:
            await try_wanted(store)
        except OSError as error:
            logger.warning("trying again", error=repr(error))
        await asyncio.sleep(LOOK_SECONDS)


async def try_wanted(store: TrialStore) -> None:
    """Tries what the API was asked for, one after the other. Raises OSError of the place for files."""
    for request in await store.waiting():
        async with child(*COMMAND, stdin=PIPE, stdout=PIPE) as process:
            status = await followed(store, request, process)
        if await store.request(request.workspace, request.id):  # else it was dropped meanwhile
            await store.settle(request, status)
        logger.info("what if", id=request.id, phase=status.phase, why=status.message)


async def followed(store: TrialStore, request: Request, process: Process) -> Status:
    """Reports how far it is. Returns what became of it; one that is dropped meanwhile is stopped."""
    assert process.stdin and process.stdout
    process.stdin.write(msgspec.json.encode(request))
    process.stdin.close()
    async for line in process.stdout:
        status = SAID.decode(line)
        if status.phase is not Phase.RUNNING:
            return status
        if await store.request(request.workspace, request.id) is None:
            return status
        await store.report(request, status)
    return Status(Phase.FAILED, message=WHY.get(await process.wait(), CUT_OFF))


def tried(request: Request, settings: Settings) -> Status:
    """Tries it and keeps the outcome. Raises ValueError, CrmError, and errors of both servers."""
    simulation = Simulation(request.rules, request.since, request.until, request.clock)
    said = [0.0]
    done, whole = 0, 0

    def total(count: int) -> Advance:
        nonlocal whole
        whole = count
        return advance

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if time.monotonic() - said[0] > LOOK_SECONDS:
            said[0] = time.monotonic()
            say(Status(Phase.RUNNING, done, whole))

    asyncio.run(simulate(settings.kafka_bootstrap, request.workspace, simulation, total))
    deals = simulation.outcome()
    about = scratch.about(request.label, request.since, request.until, request.clock)
    with psycopg.connect(settings.database_url) as conn:
        shares = deal_outcomes.shares(deals)
        scratch.write(conn, request.name, request.workspace, about, deals, shares, simulation.touched)
    return Status(Phase.DONE, done, whole, couldnt=len(simulation.failed))


def say(status: Status) -> None:
    write_out(msgspec.json.encode(status) + b"\n")


def main() -> None:
    """Reads a request from standard input. Prints a Status a line, the last one says what became of it."""
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    request = REQUEST.decode(sys.stdin.buffer.read())
    with suppress(BrokenPipeError):
        try:
            say(tried(request, Settings.read()))
        except MemoryError:
            say(Status(Phase.FAILED, message=TOO_LARGE))
        except (ValueError, CrmError) as error:
            say(Status(Phase.FAILED, message=str(error)))
        except (OSError, psycopg.Error) as error:
            why = f"A server does not answer ({type(error).__name__}). Nothing was tried; try it again."
            say(Status(Phase.FAILED, message=why))


if __name__ == "__main__":
    main()
