"""The whole path of a delivery without servers: connector, wire, decision and projections, in memory."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec

from crm.connector import Answer, Connection, Delivery, Home
from crm.contract.codec import decode, encode
from crm.decisions.commands import COMMANDS
from crm.decisions.workspace import PAID_STAGE, PART_PAID_STAGE, STAGES
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Fact, Row, named_id
from crm.events import AssignmentRulesSet, WorkspaceCreated
from crm.projection import Projection
from crm.scalars import Id, Micros
from crm.shared import AssignmentRule, Meta
from projections import PROJECTIONS
from services.connectors import CONNECTORS
from services.intake.fact_lines import parse_line
from services.intake.lines import lines_of
from services.intake.refusals import Refusal
from services.intake.values import LineContext

SECOND = 1_000_000
SECRET = "meaning-secret-1"
CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Stage:
    """One workspace. `now` is its clock, in microseconds; each delivery takes a second."""

    def __init__(self, now: int, country: str = "UA", currency: str = "UAH", timezone: str = "Europe/Kyiv") -> None:
        self.workspace, self.now = Id(str(uuid4())), now
        self.home = Home(country, currency, timezone)
        self.decide = MemoryDecide()
        self.connections: dict[str, Connection] = {}
        self.contacts: dict[str, Id] = {}  # by what they were made of
        stages = (STAGES, PAID_STAGE, PART_PAID_STAGE)
        owners = AssignmentRule("All", ("first", "second"))
        self.decide.append(
            WorkspaceCreated(self.meta("workspace"), "Meaning", country, currency, timezone, *stages),
            AssignmentRulesSet(self.meta("rules"), 1, (owners,)),
        )

    def meta(self, what: str) -> Meta:
        id, at = named_id(self.workspace, what), Micros(self.now)
        return Meta(id, self.workspace, self.workspace, at, at, Id(self.workspace), id, actor="meaning")

    def define(self, **field: Any) -> None:
        """As the mutation fieldDefine takes it; of a deal unless `entity` says otherwise."""
        self.command("fieldDefine", {"entity": "deal", "label": field["key"], **field})

    def connect(self, name: str, settings: Mapping[str, str], secret: str = SECRET) -> Connection:
        """`name` is a connector's, or such as form:2 for another connection of its kind."""
        if name not in self.connections:
            id = named_id(self.workspace, f"connection {name}")
            connector = name.partition(":")[0]
            self.connections[name] = Connection(id, self.workspace, connector, secret, settings, home=self.home)
        return self.connections[name]

    def deliver(self, name: str, headers: Mapping[str, str], body: bytes, query: str = "") -> Answer:
        """Raises Refused."""
        self.now += SECOND
        connection = self.connections[name]
        connector = CONNECTORS[connection.connector]
        if connector.name == "telegram":  # it says its secret with each update
            headers = {"x-telegram-bot-api-secret-token": connection.secret, **headers}
        delivery = Delivery(headers, body, Micros(self.now), query)
        facts = connector.receive(delivery, connection)
        for fact in facts:
            self.take(fact)
        return connector.webhook.answer(delivery, connection, facts)

    def facts(self, headers: Mapping[str, str], body: bytes) -> None:
        """As POST /facts takes them. Raises Malformed, Stop."""
        self.now += SECOND
        caller = LineContext(named_id(self.workspace, "token"), self.workspace, Micros(self.now), home=self.home)
        for line in filter(None, lines_of(headers.get("content-type", ""), body)):
            if isinstance(line, Refusal):
                raise line
            self.take(parse_line(line, lambda: Id(str(uuid4())), caller))

    def take(self, fact: Fact) -> None:
        kept = decode(encode(fact))
        assert isinstance(kept, Fact)
        self.decide.take(kept, Micros(self.now))

    def command(self, name: str, given: Mapping[str, Any]) -> Id:
        """Carries out a mutation with its GraphQL input; gives the id of the row in its answer. Raises Rejected."""
        self.now += SECOND
        declared = COMMANDS[CAPITAL.sub("_", name).lower()]
        values = {CAPITAL.sub("_", key).lower(): value for key, value in given.items() if value is not None}
        if isinstance(fields := values.get("fields"), list):
            values["fields"] = {one["key"]: json.dumps(one["value"], ensure_ascii=False) for one in fields}
        meta = msgspec.to_builtins(self.meta(f"command {self.now}"))
        command = msgspec.convert({**values, "meta": meta}, declared.command)
        events = self.decide.carry_out(declared, command)
        return declared.key_of(command, events[1:])

    def rows(self, name: str) -> list[Any]:
        """Every row of a projection, the oldest first."""
        return list(folded(PROJECTIONS[name], self.decide.journal).values())


def folded(projection: Projection[Any], journal: list[Any]) -> dict[Id, Row]:
    rows: dict[Id, Row] = {}
    for event in journal:
        if isinstance(event, projection.handles):
            key = projection.key_of(event)
            row = projection.fold(rows.get(key) if projection.needs_row else None, event)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
    return rows
