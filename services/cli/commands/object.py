"""`crm object define|list`: types of objects of a workspace's own, from a JSON file."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import target, workspace

PANEL, RANK = "Connect", 4

app = typer.Typer(no_args_is_help=True, help="Types of objects of a workspace's own: sellers, products, vehicles.")


@app.callback()
def object_() -> None: ...


@app.command()
def define(
    file: Annotated[Path, typer.Argument(help="JSON: one type, or a list of types. See docs/objects.md.")],
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Define or redefine the types of a file. Safe to repeat: a type that is so already stays as it is."""
    from services.operations.object_types import define_types, read_types

    types = read_types(file)
    where, owner = target(data), workspace(workspace_id, data)
    outcomes = asyncio.run(define_types(where.database_url, owner, types))
    if json:
        output.print_json([outcome._asdict() for outcome in outcomes])
    else:
        output.print_table(("type", "result", "why"), outcomes)
    if any(outcome.result == "refused" for outcome in outcomes):
        raise typer.Exit(1)


@app.command(name="list")
def listed(workspace_id: Workspace = "", data: Data = None, json: Json = False) -> None:
    """List the types of a workspace, their statuses and fields. `*` marks a required field, `^` an indexed one."""
    from services.operations.object_types import types_of

    where, owner = target(data), workspace(workspace_id, data)
    types = asyncio.run(types_of(where.database_url, owner))
    if json:
        output.print_json(types)
        return
    rows = []
    for kind in types:
        fields = sorted(kind["fields"].items(), key=lambda item: item[1]["place"])
        marks = {key: "*" * field["required"] + "^" * field["indexed"] for key, field in fields}
        shown = " ".join(f"{key}{marks[key]}:{field['target'] or field['type']}" for key, field in fields)
        retired = "retired" if kind["retired"] else ""
        rows.append((kind["key"], kind["label"], " ".join(kind["statuses"]), shown, retired))
    output.print_table(("type", "label", "statuses", "fields", ""), rows)
