"""Reads the lines of one request of POST /facts: a verdict for each, and the records of what is accepted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from crm.envelope import Fact, named_id
from crm.errors import Malformed
from crm.log import Record
from crm.scalars import Id
from crm.versions import digest_of
from services.intake.digest_cache import DigestCache
from services.intake.fact_lines import parse_line
from services.intake.records import OPEN, written
from services.intake.refusals import Line, Refusal, Verdict, verdict_of
from services.intake.values import LineContext

SLICE = 100  # lines read before other requests get their turn


class Conflict(Refusal):
    """The id of this line was used with other content before."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "CONFLICT", "id")


@dataclass
class Part:
    """The result of some lines of a request."""

    verdicts: list[Verdict] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    digests: dict[Id, str] = field(default_factory=dict)  # of facts whose id stays the same when they are sent again


class LineReader:
    """Reads the lines of one request, part by part.

    A line without an id gets one from `batch` and its number. `named`: the request has an Idempotency-Key, so that
    these ids too are the same when the request is repeated. `dry`: the facts are checked and not kept.
    """

    def __init__(self, batch: Id, context: LineContext, known: DigestCache, *, named: bool, dry: bool = False) -> None:
        self.batch, self.context, self.known, self.named, self.dry = batch, context, known, named, dry
        self.digests: dict[Id, str] = {}  # of all parts so far
        self.fresh = "would_accept" if dry else "accepted"

    async def read(self, lines: Sequence[Line], start: int) -> Part:
        """Returns one verdict per line; a bad line does not stop the others. `start`: lines of earlier parts."""
        part = Part()
        for number, line in enumerate(lines, start + 1):
            if line == b"":
                continue
            try:
                if isinstance(line, Refusal):
                    raise line
                fact = parse_line(line, partial(self.id_of, number), self.context, self.named)
                part.verdicts.append(self.take(fact, part))
            except Conflict as error:
                part.verdicts.append(verdict_of(error, number, line, "conflict"))
            except Malformed as error:
                part.verdicts.append(verdict_of(error, number, line))
            if not number % SLICE:
                await asyncio.sleep(0)
        return part

    def id_of(self, number: int) -> Id:
        return named_id(self.batch, str(number))

    def take(self, fact: Fact, part: Part) -> Verdict:
        """Adds the record of a fact, also of a repeated one: it is decided once, and Kafka may have lost it.

        Raises Malformed, or Conflict when the id was used with other content.
        """
        id, status, digest = fact.meta.id, self.fresh, digest_of(fact)
        if digest:
            before = self.digests.get(id) or self.known.get(id)
            if before and before != digest:
                raise Conflict(
                    f"This id was used before with other content, which is kept as fact {id}. "
                    "This line was not accepted. Use a new id for a new fact."
                )
            status = "repeated" if before else status
        part.records.append(written(fact, OPEN, digest))
        if digest:
            part.digests[id] = self.digests[id] = digest
        return Verdict(status, id)
