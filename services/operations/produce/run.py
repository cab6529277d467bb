"""Sends a whole file in batches, in its order, and keeps what was refused for a second try."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from services.intake.refusals import Line, Refusal, Verdict, verdict_of
from services.operations.produce.identity import Identity
from services.operations.produce.senders import Sender, Unsent
from services.operations.produce.sources import Numbered

BATCH = 5_000  # lines
BATCH_BYTES = 8_000_000
GOOD = ("accepted", "repeated", "would_accept")
SHOWN = 5  # sentences on refused lines
Batch = list[Numbered]


@dataclass
class Report:
    """What became of a file. `refused_file` has the lines that were not accepted, if there are any."""

    lines: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    refused_file: Path | None = None
    sentences: list[str] = field(default_factory=list)  # on the first lines that were not accepted

    @property
    def refused(self) -> int:
        return self.lines - sum(self.statuses[status] for status in GOOD)


class Refused:
    """The file of lines that were not accepted, made at the first of them: the fact as it was sent, and why not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[bytes] | None = None

    def add(self, line: Line, verdict: Verdict) -> None:
        if self.file is None:
            self.file = self.path.open("wb")
        self.file.write(msgspec.json.encode({"refused": verdict, "fact": as_value(line)}) + b"\n")

    def close(self) -> None:
        if self.file:
            self.file.close()


def as_value(line: Line) -> msgspec.Raw | str | None:
    """Returns a line as it stands in JSON: as it is, as text when it is no object, null when it could not be read."""
    if not isinstance(line, bytes):
        return None
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError, ValueError):
        return line.decode("utf-8", "backslashreplace")
    return msgspec.Raw(line)


def produce(
    lines: Iterable[Numbered],
    sender: Sender,
    identity: Identity,
    refused: Path,
    advance: Callable[[int], None] = lambda _: None,
    batch: int = BATCH,
) -> Report:
    """Sends the lines. Raises ValueError with the last line that was answered when it must stop."""
    report, began, last, aside = Report(), time.monotonic(), 0, Refused(refused)
    named = ((number, identity.named(number, line)) for number, line in lines)
    try:
        for sent, verdicts in answered(batches(named, batch), sender):
            for (number, line), verdict in zip(sent, verdicts, strict=True):
                report.statuses[verdict.status] += 1
                if verdict.status not in GOOD:
                    note(report, aside, line, in_file(verdict, number))
            report.lines += len(sent)
            last = sent[-1][0]
            advance(len(sent))
    except Unsent as error:
        raise ValueError(f"{error} {so_far(last)} Run the same command again: what was accepted counts once.") from None
    except ValueError as error:
        raise ValueError(f"{error} {so_far(last)}") from None
    finally:
        aside.close()
    report.seconds = time.monotonic() - began
    return report


def so_far(last: int) -> str:
    return f"All was sent up to line {last}." if last else "Nothing was sent."


def note(report: Report, aside: Refused, line: Line, verdict: Verdict) -> None:
    aside.add(line, verdict)
    report.refused_file = aside.path
    if len(report.sentences) < SHOWN:
        report.sentences.append(str(verdict.error))


def in_file(verdict: Verdict, number: int) -> Verdict:
    """Returns a verdict with the number of the line in the file instead of that in the request."""
    error = f"Line {number}: {verdict.message}"
    return msgspec.structs.replace(verdict, line=number, error=error)


def batches(lines: Iterable[Numbered], most: int) -> Iterator[Batch]:
    made: Batch = []
    size = 0
    for number, line in lines:
        length = len(line) if isinstance(line, bytes) else 0
        if made and (len(made) == most or size + length > BATCH_BYTES):
            yield made
            made, size = [], 0
        made.append((number, line))
        size += length
    if made:
        yield made


def answered(made: Iterable[Batch], sender: Sender) -> Iterator[tuple[Batch, list[Verdict]]]:
    """Yields each batch with its verdicts. One is away at a time, which keeps the order; the next is made meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        away: tuple[Batch, Future[list[Verdict]]] | None = None
        for batch in made:
            if away:
                yield away[0], away[1].result()
            away = batch, pool.submit(send, sender, batch)
        if away:
            yield away[0], away[1].result()


def send(sender: Sender, batch: Batch) -> list[Verdict]:
    """Returns the verdict of each line. Those that could not be read from the file are not sent."""
    lines = [line for _, line in batch if isinstance(line, bytes)]
    verdicts = iter(sender.send(lines) if lines else [])
    return [verdict_of(line, number, line) if isinstance(line, Refusal) else next(verdicts) for number, line in batch]
