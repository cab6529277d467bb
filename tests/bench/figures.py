"""Pages of measured figures: `crm bench rebuild --json | python -m tests.bench.figures docs/figures/rebuild.md`.

Writes the result to docs/figures/rebuild.json, with the date, the commit and the machine, and the page made from it.
`--note TEXT` adds a remark to the page. Without a result on standard input, each page is written again from its JSON.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.machine import machine
from tests.support.tools import ROOT

FIGURES = ROOT / "docs" / "figures"
ABOUT = ("benchmark", "command", "machine", "measured", "settings", "notes")
PAGE = "<!-- Written by `python -m tests.bench.figures` from {data}. Do not edit by hand. -->"


def main() -> None:
    arguments = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    arguments.add_argument("page", nargs="?", type=Path, help="A page to write, such as docs/figures/rebuild.md.")
    arguments.add_argument("--note", action="append", dest="notes", help="A remark. Can be given several times.")
    given = arguments.parse_args()
    if given.page:
        result = complete(json.load(sys.stdin), given.page.stem)
        write(given.page, result | ({"notes": given.notes} if given.notes else {}))
        return
    for data in sorted(FIGURES.glob("*.json")):
        write(data.with_suffix(".md"), json.loads(data.read_text("utf-8")))


def complete(result: Any, name: str) -> dict[str, Any]:
    """Returns the result with what a reader needs to judge it. A list of rows (`crm chaos`) becomes a table."""
    found = result if isinstance(result, dict) else {"results": result}
    commit = subprocess.check_output(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True).strip()
    measured = {"date": datetime.now(UTC).date().isoformat(), "commit": commit}
    return {"benchmark": name, "machine": machine(), "measured": measured} | found


def write(page: Path, result: Mapping[str, Any]) -> None:
    data = page.with_suffix(".json")
    data.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    page.write_text(render(result, data.name), "utf-8")


def render(result: Mapping[str, Any], data: str) -> str:
    """Returns the page in Markdown: what was measured, where and when; then a table for each group of figures."""
    lines = [PAGE.format(data=data), f"# Figures: {result['benchmark']}", ""]
    lines += [f"Command: `{result['command']}`", ""] if "command" in result else []
    for name in ("measured", "machine", "settings"):
        if given := result.get(name):
            lines += [f"{name.capitalize()}: " + "; ".join(f"{words(k)} {cell(v)}" for k, v in flat(given)) + ".", ""]
    single = [(key, value) for key, value in result.items() if key not in ABOUT and not isinstance(value, dict | list)]
    for name, value in result.items():
        if name not in ABOUT and isinstance(value, dict | list):
            lines += [f"## {words(name).capitalize()}", "", *table(rows_of(value)), ""]
    if single:
        lines += ["## Summary", "", *table([{"figure": words(key), "value": value} for key, value in single]), ""]
    if notes := result.get("notes"):
        lines += ["## Notes", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines)


def rows_of(group: Any) -> list[dict[str, Any]]:
    """Returns the rows of a table: of a list of objects, of an object of objects, or of an object of figures."""
    if isinstance(group, list):
        return [dict(flat(row)) if isinstance(row, dict) else {"value": row} for row in group]
    if any(isinstance(value, dict) for value in group.values()):
        return [
            {"": name} | (dict(flat(row)) if isinstance(row, dict) else {"value": row}) for name, row in group.items()
        ]
    return [{"figure": words(name), "value": value} for name, value in group.items()]


def flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the figures of nested objects, named `outer inner`."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name} ")
        else:
            yield before + name, value


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    numbers = {name for name in columns if all(isinstance(row.get(name, 0), int | float) for row in rows)}
    return [
        "| " + " | ".join(words(name) for name in columns) + " |",
        "|" + "|".join("---:" if name in numbers else "---" for name in columns) + "|",
        *("| " + " | ".join(cell(row.get(name)) for name in columns) + " |" for row in rows),
    ]


def cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "NO"
        case int():
            return f"{value:,}"
        case list():
            return "; ".join(map(cell, value))
    return str(value)


def words(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    main()
