"""The declaration of one type of fact. It stands next to the fact's decision, where crm.decisions finds it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, get_type_hints

from crm.decisions.case import Decision
from crm.decisions.loading import Wanted
from crm.envelope import Fact
from crm.scalars import Id, Micros


@dataclass(frozen=True)
class FactRule:
    """What holds for one type of fact. The fields from `row` on are for `crm reparse`."""

    fact: type[Fact]
    decide: Decision
    family: str = ""  # key of its topic in schemas/avro/topics.toml; empty: the topic of its connector
    needs_workspace: bool = True  # False: that there is none may be what is wrong
    hints: Callable[[Any], Wanted] = lambda _: ()  # what the decision will most likely ask the state for
    identifiers: Callable[[Any], Iterable[tuple[str, str]]] = lambda _: ()  # kinds and values that are looked up
    sender: Callable[[Mapping[str, Any]], str] | None = None  # orders lines of POST /facts; None: refused there
    words: Mapping[str, type[StrEnum]] = field(default_factory=dict)  # of POST /facts: fields that are one of a few
    check: Callable[[Any], tuple[str, str] | None] = lambda _: None  # a field and a sentence: why it cannot be taken
    occurs: str = ""  # field of a line of POST /facts that says when it occurred, where `occurred_at` is not given
    null_removes: bool = False  # a null in its `fields` takes a value away; elsewhere null means not given
    row: Callable[[Any], tuple[str, Id] | None] = lambda _: None  # projection and key of the row that the fact names
    as_newer: Callable[[Any], Fact] | None = None  # a corrected reading, so that it replaces the fact
    correctable: tuple[str, ...] = ()  # fields that a newer report changes; empty: all
    one_per_delivery: bool = False  # usually; then it is the same fact even if its id differs

    @cached_property
    def moments(self) -> tuple[str, ...]:
        """Fields that hold a time."""
        return tuple(name for name, kind in get_type_hints(self.fact).items() if kind in (Micros, Micros | None))
