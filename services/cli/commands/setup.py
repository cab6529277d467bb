"""`crm setup`: creates topics, tables and, unless it is refused, the demo workspace on existing servers."""

import asyncio
import os
from typing import Annotated

import typer

from crm.settings import Settings
from services.cli import output
from services.cli.options import Data, Json
from services.stack import state
from services.stack.demo_workspace import Demo, ensure_demo_workspace
from services.stack.secret_keys import ensure_key

PANEL, RANK = "Run", 6
WithDemo = Annotated[
    bool, typer.Option("--demo/--no-demo", help="Make the demo workspace, and a key if there is none.")
]


def setup(data: Data = None, demo: WithDemo = True, json: Json = False) -> None:
    """Create topics, tables, a key and a demo workspace on KAFKA_BOOTSTRAP and DATABASE_URL. Safe to repeat."""
    if not {"KAFKA_BOOTSTRAP", "DATABASE_URL"} <= os.environ.keys():
        raise ValueError(
            "Set KAFKA_BOOTSTRAP and DATABASE_URL: `crm setup` works on existing servers; `crm up` starts its own."
        )
    from services.stack import pending_rebuilds
    from services.stack.setup import topics_and_tables

    settings = Settings.read()

    async def run() -> Demo | None:
        await topics_and_tables(settings.kafka_bootstrap, settings.database_url, settings.kafka_replication)
        await pending_rebuilds.claim_and_build(
            settings.kafka_bootstrap, settings.database_url, lambda text: typer.echo(text, err=True)
        )
        servers = settings.kafka_bootstrap, settings.database_url
        return await ensure_demo_workspace(data or state.data_folder(), *servers, ensure_key(data)) if demo else None

    made = asyncio.run(run())
    intake = os.environ.get("CRM_INTAKE_URL", f"http://{settings.host}:{settings.intake_port}")
    if json:
        form, token = (f"{intake}/in/{made.form}", made.token) if made else (None, None)
        output.print_json({"workspace": made.workspace if made else None, "form_url": form, "token": token})
        return
    typer.echo("Topics and tables are ready.")
    if made:
        typer.echo(f"Demo workspace {made.workspace}, forms: {intake}/in/{made.form}\nToken: {made.token}")
