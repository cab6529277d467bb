"""`crm demo`: runs the demo stories against the running stack and shows each card as it appears."""

import asyncio
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer
from rich.console import Console

from services.cli import output
from services.cli.options import Data, Json
from services.cli.target import target
from services.demo.client import DemoClient, StoryResult
from services.demo.stories import run_stories
from services.demo.vendors import simulated_vendors
from services.stack import demo_workspace, state
from services.stack.demo_workspace import Demo

PANEL, RANK = "Run", 2


def demo(
    data: Data = None,
    intake_url: Annotated[str, typer.Option(help="Intake of another stack.", envvar="CRM_INTAKE_URL")] = "",
    graphql_url: Annotated[str, typer.Option(help="GraphQL of another stack.", envvar="CRM_GRAPHQL_URL")] = "",
    access: Annotated[Path | None, typer.Option(help="The demo.json of another stack.", envvar="CRM_DEMO")] = None,
    json: Json = False,
) -> None:
    """Send example deliveries as vendors would, answer one, and show each card. Exits with 1 if one fails."""
    if not (intake_url and graphql_url):
        here = target(data)
        intake_url, graphql_url = intake_url or here.intake_url, graphql_url or here.graphql_url
    file = access or demo_workspace.path(data or state.data_folder())
    try:
        known = msgspec.json.decode(file.read_bytes(), type=Demo)
    except FileNotFoundError:
        why = f"There is no {file}: start the stack once with `crm up`, or give the file with --access."
        raise ValueError(why) from None
    folder = (data or state.data_folder()) if access is None else None  # another stack has no vendors here
    results = asyncio.run(run(known, intake_url, graphql_url, folder, quiet=json))
    ok = all(one.ok for one in results)
    if json:
        figures = ("name", "ok", "accepted_ms", "visible_ms")
        stories = [
            {name: getattr(one, name) for name in figures} | ({} if one.ok else {"error": one.card}) for one in results
        ]
        output.print_json({"stories": stories, "ok": ok})
    raise typer.Exit(0 if ok else 1)


async def run(known: Demo, intake_url: str, graphql_url: str, folder: Path | None, quiet: bool) -> list[StoryResult]:
    console = Console(highlight=False)

    def report(one: StoryResult) -> None:
        if quiet:
            return
        mark = "[green]✓[/]" if one.ok else "[red]✗[/]"
        times = f"accepted {one.accepted_ms:.0f} ms, visible {one.visible_ms:.0f} ms" if one.ok else ""
        console.print(f"{mark} {one.name:<38} [dim]{times}[/]")
        console.print(f"  {one.card}", style="" if one.ok else "red", markup=False)

    async with httpx.AsyncClient(timeout=15) as client, simulated_vendors(folder) as vendors:
        of_demo = known.token, known.connections, known.seed, vendors
        return await run_stories(DemoClient(client, intake_url, graphql_url, *of_demo), report)
