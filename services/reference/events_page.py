"""Makes docs/events.md: every event and fact with its fields, and who writes it."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from crm.contract.generate import SCHEMAS, sources
from crm.decisions import RULES
from crm.decisions.commands import COMMANDS
from crm.decisions.stage_rules import consequences
from projections import PROJECTIONS
from services.connectors import CONNECTORS
from services.connectors.reference import folder
from services.reference.writers import made_by, made_in

ROOT = SCHEMAS.parent.parent
PAGE = ROOT / "docs" / "events.md"
# Code outside of decisions and connectors that makes facts or events: read module by module.
OTHERS = (
    "services/polling",
    "services/outbound",
    "crm/engine",
    "crm/connector.py",
    "services/stack",
    "services/operations",
    "services/intake",
    "services/imports",
    "streams",
    "api",
)
NAMED = {  # written for everything alike, so no single decision makes it
    "CommandAccepted": "every mutation, as its first event",
    "FactQuarantined": "every fact that cannot be decided on, such as one with an impossible value",
}
INTRO = """\
# Events and facts

Generated from [schemas/avro](../schemas/avro) and the code by `make events`; do not edit.

A *fact* is what came in: a connector, a client of the open API or a command of `crm` writes it to Kafka. \
An *event* is what was decided on a fact or a mutation: it is in the topic `crm.journal`, which is kept permanently. \
How both are encoded and how they may change: [contract.md](contract.md). \
To fold events into a table of your own: [replay.md](replay.md). \
To follow them live: [subscriptions.md](subscriptions.md#follow-the-journal).

Who writes a record is read from the code: every branch that can write it counts. The read models are the views of \
[sql.md](sql.md).
"""


def page() -> str:
    events, facts, shared = sources("events"), sources("facts"), sources("shared")
    meta = next(schema for schema in shared if schema["name"] == "Meta")
    parts = [
        INTRO,
        "## Envelope\n\nEvery event and fact has the field `meta`:\n",
        table(meta),
        "## Events\n",
        overview(events),
        *(part for event in sorted(events, key=name_of) for part in event_section(event)),
        "## Facts\n",
        overview(facts),
        *(part for fact in sorted(facts, key=name_of) for part in fact_section(fact)),
        "## Shared records\n",
        *(part for one in sorted(shared, key=name_of) if one is not meta for part in section(one)),
    ]
    return "\n".join(parts)


def name_of(schema: dict[str, Any]) -> str:
    return str(schema["name"])


def overview(schemas: Iterable[dict[str, Any]]) -> str:
    rows = [
        f"| [{name}](#{name.lower()}) | {cell(s['doc'])} |"
        for s in sorted(schemas, key=name_of)
        for name in [s["name"]]
    ]
    return "\n".join(["| name | meaning |", "|---|---|", *rows, ""])


def section(schema: dict[str, Any], *about: str) -> Iterator[str]:
    yield f"### {schema['name']}\n"
    yield schema["doc"] + "\n"
    yield from (f"- {line}" for line in about if line)
    yield ""
    if any(field["name"] != "meta" for field in schema["fields"]):
        yield table(schema)


def event_section(schema: dict[str, Any]) -> Iterator[str]:
    name = schema["name"]
    models = [f"`{p.name}`" for p in PROJECTIONS.values() if name in {kind.__name__ for kind in p.handles}]
    about = f"Changes the read model{'s' if len(models) > 1 else ''} {', '.join(models)}." if models else ""
    yield from section(schema, f"Written {'; '.join(writers(name))}.", about)


def fact_section(schema: dict[str, Any]) -> Iterator[str]:
    yield from section(schema, f"Written {'; '.join(writers(schema['name']))}.")


def writers(name: str) -> list[str]:
    """Returns who writes a record, the commonest first."""
    decided = [f"[{fact}](#{fact.lower()})" for fact, made in by_fact().items() if name in made]
    mutations = [f"`{camel(command)}`" for command, made in by_command().items() if name in made]
    connectors = [f"[`{entry}`](../{path})" for entry, path, made in by_connector() if name in made]
    sent = [rule.fact.__name__ for rule in RULES.values() if rule.sender]
    code = [f"[{path}](../{path})" for path, made in by_module().items() if name in made]
    return [
        *([f"on {NAMED[name]}"] if name in NAMED else []),
        *([f"on {some('fact', sorted(decided))}"] if decided else []),
        *([f"on {some('mutation', mutations)}"] if mutations else []),
        *(["by a [stage rule](rules.md)"] if name in by_stage_rules() else []),
        *([f"by {some('connector', connectors)}"] if connectors else []),
        *(["by `POST /facts`"] if name in sent else []),
        *([f"by the code of {', '.join(code)}"] if code else []),
    ]


def some(what: str, names: list[str]) -> str:
    return f"the {what}{'s' if len(names) > 1 else ''} {', '.join(names)}"


@cache
def by_fact() -> dict[str, set[str]]:
    return {fact.__name__: made_by(rule.decide) for fact, rule in RULES.items()}


@cache
def by_command() -> dict[str, set[str]]:
    return {name: made_by(command.decide) for name, command in COMMANDS.items()}


@cache
def by_stage_rules() -> set[str]:
    """Returns what is made on top of any fact or command."""
    return made_by(consequences)


@cache
def by_connector() -> list[tuple[str, str, set[str]]]:
    """Returns the name, the folder and the facts of each connector that reads anything."""
    return [(c.name, folder(c.entry), set().union(*map(made_by, c.parsers))) for c in CONNECTORS.values() if c.reads]


@cache
def by_module() -> dict[str, set[str]]:
    files = sorted(file for other in OTHERS for file in python_files(ROOT / other))
    return {str(file.relative_to(ROOT)): made_in(file) for file in files}


def python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def table(schema: dict[str, Any]) -> str:
    rows = [
        f"| `{f['name']}` | {type_of(f['type'])} | {default(f)} | {cell(f['doc'])} |"
        for f in schema["fields"]
        if f["name"] != "meta"
    ]
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def type_of(avro: Any) -> str:
    """Returns an Avro type in words; a shared record as a link."""
    match avro:
        case [*branches]:
            return " or null".join([type_of(b) for b in branches if b != "null"] + [""] * ("null" in branches))
        case {"logicalType": "timestamp-micros"}:
            return "time"
        case {"logicalType": logical}:
            return str(logical)
        case {"type": "array", "items": items}:
            return f"list of {type_of(items)}"
        case {"type": "map", "values": values}:
            return f"map of {type_of(values)}"
        case str(name) if name.startswith("crm."):
            short = name.removeprefix("crm.")
            return f"[{short}](#{short.lower()})"
    return "text" if avro == "string" else str(avro)


def default(field: dict[str, Any]) -> str:
    """Returns the default; empty for a field that every record has."""
    if "default" not in field:
        return ""
    match field["default"]:
        case "" | []:
            return "empty"
        case dict() as value:
            return "all defaults" if value else "empty"
        case str() as value:
            return f"`{value}`"
        case value:
            return json.dumps(value)


def cell(text: str) -> str:
    return text.replace("|", "\\|")
