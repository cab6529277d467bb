"""Writes crm/shared.py, facts.py and events.py from schemas/avro (`make events`), and the docs' table of topics."""

import json
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

CRM = Path(__file__).parents[1]
SCHEMAS = CRM.parent / "schemas" / "avro"
LOGICAL = {"uuid": "Id", "timestamp-micros": "Micros"}
PLAIN = {"string": "str", "long": "int", "int": "int", "boolean": "bool", "bytes": "bytes"}  # no float: money is exact
BASES = {"shared": "Struct", "facts": "Fact", "events": "Event"}
HOMES = {"Struct": "msgspec", "Fact": "crm.envelope", "Event": "crm.envelope"}
WIDTH = 120
PAGE = SCHEMAS.parent.parent / "docs" / "contract.md"
MARK = "<!-- topics: made by `make events` -->"


def sources(folder: str, root: Path = SCHEMAS) -> list[dict[str, Any]]:
    """The schemas of one folder (shared, facts or events), each after those it refers to."""
    by_name = {s["name"]: s for s in (json.loads(p.read_text()) for p in sorted((root / folder).glob("*.avsc")))}
    order = TopologicalSorter({name: references(schema) & by_name.keys() for name, schema in by_name.items()})
    return [by_name[name] for name in order.static_order()]


def references(avro: object) -> set[str]:
    """Names of the records that a schema mentions, without their namespace."""
    match avro:
        case str(name):
            return {name.removeprefix("crm.")} if name.startswith("crm.") else set()
        case [*parts]:
            return set().union(*map(references, parts))
        case {"type": "record", "fields": fields}:
            return set().union(*(references(f["type"]) for f in fields))
        case {"type": "array", "items": inner} | {"type": "map", "values": inner}:
            return references(inner)
    return set()


def python_type(avro: object) -> str:
    match avro:
        case [*branches]:
            given = [python_type(branch) for branch in branches if branch != "null"]
            return " | ".join(given + ["None"] * ("null" in branches))
        case {"logicalType": logical}:
            return LOGICAL[str(logical)]
        case {"type": "array", "items": items}:
            return f"tuple[{python_type(items)}, ...]"
        case {"type": "map", "values": values}:
            return f"dict[str, {python_type(values)}]"
        case str(name):
            return name.removeprefix("crm.") if name.startswith("crm.") else PLAIN[name]
    raise TypeError(f"no Python type for {avro!r}")


def literal(default: object, avro: object) -> str:
    """A default as Python. A shared record's repeats the defaults of its fields, so it is the class called bare."""
    match default, avro:
        case [*items], {"items": inner}:
            return f"({', '.join(literal(item, inner) for item in items)}{',' if len(items) == 1 else ''})"
        case _, str(name) if name.startswith("crm."):
            return f"{name.removeprefix('crm.')}()"
        case str(text), "bytes":
            return repr(text.encode("latin-1")).replace("'", '"')  # as Avro writes bytes in JSON
        case str() | dict(), _:
            return json.dumps(default, ensure_ascii=False)
    return repr(default)


def python_class(schema: dict[str, Any], base: str) -> str:
    fields = [
        f"    {f['name']}: {python_type(f['type'])}"
        + (f" = {literal(f['default'], f['type'])}" if "default" in f else "")
        for f in schema["fields"]
        if f["name"] != "meta"
    ]
    head = [f"class {schema['name']}({base}, frozen=True, gc=False):", f'    """{schema["doc"]}"""']
    return "\n".join([*head, "", *fields] if fields else head)


def imports(base: str, body: str, shared: set[str]) -> str:
    """What the classes mention, as `ruff format` and `ruff check` want it."""
    scalars = sorted(name for name in ("Id", "Micros") if re.search(rf"\b{name}\b", body))
    lines = [f"from {HOMES[base]} import {base}"] + ([""] if base == "Struct" else [])
    lines += [f"from crm.scalars import {', '.join(scalars)}"] if scalars else []
    if shared:
        line = f"from crm.shared import {', '.join(sorted(shared))}"
        split = "from crm.shared import (\n" + "".join(f"    {name},\n" for name in sorted(shared)) + ")"
        lines.append(line if len(line) <= WIDTH else split)
    return "\n".join(lines) + "\n"


def render(folder: str, root: Path = SCHEMAS) -> str:
    """The module of one folder, formatted."""
    schemas = sources(folder, root)
    body = "".join(f"\n\n{python_class(schema, BASES[folder])}\n" for schema in schemas)
    used = set().union(*map(references, schemas)) - {"Meta"} if folder != "shared" else set()
    head = f'"""Generated from schemas/avro/{folder} by `make events`. Do not edit."""\n\n'
    if " = {}\n" in body:
        head += "# ruff: noqa: RUF012 - msgspec gives each instance its own empty dict\n\n"
    return head + imports(BASES[folder], body, used) + body


def topics_table(root: Path = SCHEMAS) -> str:
    """The topics as a Markdown table."""
    rows = ["| Topic | Partitions | Kept | Written by | Content |", "|---|---|---|---|---|"]
    for topic in tomllib.loads((root / "topics.toml").read_text()).values():
        config = topic["config"]
        kept = "forever" if config.get("retention.ms") == "-1" else "by Kafka's default"
        kept = "the newest of each key" if config.get("cleanup.policy") == "compact" else kept
        rows.append(f"| `{topic['name']}` | {topic['partitions']} | {kept} | {topic['writer']} | {topic['about']} |")
    return "\n".join(rows) + "\n"


def with_table(page: str, table: str, mark: str = MARK) -> str:
    """A page of docs with the table, which ends with a newline, between its two marks."""
    before, _, rest = page.partition(mark)
    _, _, after = rest.partition(mark)
    return f"{before}{mark}\n{table}{mark}{after}"


if __name__ == "__main__":
    for folder in BASES:
        (CRM / f"{folder}.py").write_text(render(folder))
    PAGE.write_text(with_table(PAGE.read_text(), topics_table()))
