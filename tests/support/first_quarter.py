"""A shop's first quarter of 2026 as events, and its archive as `crm archive` writes it."""

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from crm.adapters.archive import manifest
from crm.adapters.archive.container import ArchivedRecord
from crm.adapters.archive.manifest import Manifest
from crm.adapters.kafka.journal_log import envelope
from crm.contract.codec import encode
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact
from crm.moments import first
from crm.scalars import Micros
from crm.topics import JOURNAL, journal_partition
from services.operations.archive.saving import Writing
from tests.support.scenarios import RULES, form, message, paid

DAY = 86_400_000_000
BEGIN = first("2026-01-01")


def day(number: int) -> Micros:
    """Returns noon of a day of the quarter, counted from 0."""
    return Micros(BEGIN + number * DAY + DAY // 2)


def on(fact: Fact, number: int) -> Fact:
    return replace(fact, meta=replace(fact.meta, occurred_at=day(number)))


def quarter(people: int = 40) -> list[Event]:
    """Each customer sends a form, some a message; two of three pay, in one or two parts, every seventh a week late."""
    arrivals: list[tuple[int, Fact]] = []
    for n in range(people):
        begin, number = n * 80 // people, f"+38050{n:07}"
        arrivals.append((begin, on(form(f"form {n}", phones=[number], amount_minor=10_000, reference=f"R-{n}"), begin)))
        if n % 4 == 0:
            chat = message(f"chat {n}", chat=str(n), sender=str(n), text="Hello")
            arrivals.append((begin, on(chat, begin)))
        if n % 3:
            late = 7 if n % 7 == 0 else 0
            for part in range(1 + n % 2):
                at = begin + 2 + 3 * part
                payment = paid(f"{n}/{part}", 10_000 // (1 + n % 2), payment=f"p-{n}-{part}", reference=f"R-{n}")
                arrivals.append((at + late, on(payment, at)))
    decide = MemoryDecide()
    decide.append(*RULES)
    for known, fact in sorted(arrivals, key=lambda pair: pair[0]):
        decide.take(fact, day(known))
    return decide.journal


def records(events: Sequence[Event]) -> dict[int, list[ArchivedRecord]]:
    """Returns archived records by partition, as the relay writes them."""
    found: dict[int, list[ArchivedRecord]] = {}
    for event in events:
        mine = found.setdefault(journal_partition(event.meta.stream), [])
        value, at = encode(event), len(mine)
        headers = envelope(event.meta.id, event.meta.source, event.meta.trace, value, at)
        mine.append(ArchivedRecord(at, event.meta.recorded_at // 1000, event.meta.stream.encode(), value, headers))
    return found


def archive(folder: Path, parts: dict[int, list[ArchivedRecord]], files: int = 2) -> Path:
    """Writes each partition in `files` files."""
    known = manifest.read(folder) if (folder / manifest.NAME).exists() else Manifest()
    folder.mkdir(parents=True, exist_ok=True)
    for partition, every in parts.items():
        size = -(-len(every) // files)
        for n in range(0, len(every), size):
            writing = Writing(folder, (JOURNAL.name, partition), every[n].offset)
            writing.add(every[n : n + size])
            writing.finish(known)
            writing.drop()
    manifest.write(folder, known)
    return folder
