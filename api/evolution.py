"""Refuses schema changes that break clients of the released schema, unless declared: `python -m api.evolution`.

schemas/graphql/released.graphql is the schema of the last release. breaks.toml next to it declares each breaking
change since then, with its date and reason: `python -m api.evolution declare "why"` adds the missing ones. At a release
`python -m api.evolution release` makes the current schema the released one and empties the list.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes

ROOT = Path(__file__).parent.parent
NOW = ROOT / "schema.graphql"
RELEASED = ROOT / "schemas" / "graphql" / "released.graphql"
BREAKS = ROOT / "schemas" / "graphql" / "breaks.toml"
EMPTY = "# What breaks since the last release: a [[break]] each, with `change` as the check says, `date`, `reason`.\n"
DATED = re.compile(r"Since (\d{4}-\d\d-\d\d), until (\d{4}-\d\d-\d\d): \S.*")


def problems(released: GraphQLSchema, now: GraphQLSchema, declared: list[dict[str, Any]]) -> list[str]:
    """Returns what keeps this schema from being released, one sentence each."""
    breaks = broken(released, now)
    named = {str(one.get("change")) for one in declared}
    return [
        *(f"{change} Undo it, or declare it in {BREAKS.name}." for change in sorted(breaks - named)),
        *(f"{BREAKS.name} declares a change that breaks nothing: {change}" for change in sorted(named - breaks)),
        *(f"{one.get('change')} Its declaration needs `date` and `reason`." for one in declared if not has_reason(one)),
        *(f"{name} is deprecated without dates: {text!r}" for name, text in deprecated(now) if not has_dates(text)),
    ]


def broken(released: GraphQLSchema, now: GraphQLSchema) -> set[str]:
    changes = (change.description for change in find_breaking_changes(released, now))
    return {change for change in changes if not change.startswith("Standard scalar ")}  # clients do not use these


def has_reason(declaration: dict[str, Any]) -> bool:
    return isinstance(declaration.get("date"), date) and bool(str(declaration.get("reason", "")).strip())


def has_dates(reason: str) -> bool:
    """Tells whether a reason reads "Since 2026-11-25, until 2027-05-25: use `x`.", the second day after the first."""
    if not (found := DATED.fullmatch(reason)):
        return False
    try:
        return date.fromisoformat(found[1]) < date.fromisoformat(found[2])
    except ValueError:
        return False


def deprecated(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Yields deprecated fields, arguments, input fields and enum values, each with its reason."""
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        for part in ("fields", "values"):
            for item, defined in getattr(type_, part, {}).items():
                if defined.deprecation_reason is not None:
                    yield f"{name}.{item}", defined.deprecation_reason
                for argument, given in getattr(defined, "args", {}).items():
                    if given.deprecation_reason is not None:
                        yield f"{name}.{item}({argument}:)", given.deprecation_reason


def read() -> tuple[GraphQLSchema, GraphQLSchema, list[dict[str, Any]]]:
    """Returns the released schema, the current one, and the declared breaking changes."""
    released, now = (build_schema(file.read_text("utf-8")) for file in (RELEASED, NOW))
    return released, now, tomllib.loads(BREAKS.read_text("utf-8")).get("break", [])


def declare(reason: str) -> None:
    released, now, declared = read()
    with BREAKS.open("a", encoding="utf-8") as file:
        for change in sorted(broken(released, now) - {one["change"] for one in declared}):
            quoted = (json.dumps(text, ensure_ascii=False) for text in (change, reason))
            file.write("\n[[break]]\nchange = {}\nreason = {}\ndate = {}\n".format(*quoted, date.today()))


def release() -> None:
    RELEASED.write_bytes(NOW.read_bytes())
    BREAKS.write_text(EMPTY, "utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["declare", reason]:
            declare(reason)
        case ["release"]:
            release()
        case _ if found := problems(*read()):
            hint = '`python -m api.evolution declare "why"` declares them.'
            sys.exit("\n".join(["schema.graphql breaks the released schema:", *found, hint]))
