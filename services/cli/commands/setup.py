"""`crm setup`: topics, tables and the demo workspace on servers that run already (docker compose)."""

import asyncio
import os

import typer

from crm.settings import Settings
from services.cli import output as show
from services.cli.options import Data, Json
from services.stack import state
from services.stack.demo_workspace import Demo, demo_workspace


def setup(data: Data = None, json: Json = False) -> None:
    """Make topics, tables and a demo workspace where KAFKA_BOOTSTRAP and DATABASE_URL point. Safe to repeat."""
    if not {"KAFKA_BOOTSTRAP", "DATABASE_URL"} <= os.environ.keys():
        raise ValueError("Set KAFKA_BOOTSTRAP and DATABASE_URL: `crm setup` is for servers that run already.")
    from services.stack import behind
    from services.stack.setup import topics_and_tables

    settings = Settings.read()

    async def run() -> Demo:
        await topics_and_tables(settings.kafka_bootstrap, settings.database_url, settings.kafka_replication)
        await behind.ensure(settings.kafka_bootstrap, settings.database_url, lambda text: typer.echo(text, err=True))
        return await demo_workspace(data or state.data_folder(), settings.kafka_bootstrap, settings.database_url)

    demo = asyncio.run(run())
    intake = os.environ.get("CRM_INTAKE_URL", f"http://{settings.host}:{settings.intake_port}")
    if json:
        show.as_json({"workspace": demo.workspace, "form_url": f"{intake}/in/{demo.form}", "token": demo.token})
    else:
        typer.echo("Topics and tables are there.")
        typer.echo(f"Demo workspace {demo.workspace}, forms: {intake}/in/{demo.form}\nToken: {demo.token}")
