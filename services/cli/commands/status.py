"""`crm status`: each role, its process, its state and how far behind it is."""

import httpx
import typer
from prometheus_client.parser import text_string_to_metric_families

from services.cli import output as show
from services.cli.options import Data, Json
from services.stack import state
from services.stack.state import PartState

LAG = {"decide": "kafka_consumergroup_lag", "project": "kafka_consumergroup_lag", "relay": "crm_relay_backlog"}


def status(data: Data = None, json: Json = False) -> None:
    """What runs. Exit code 1 when nothing does, or something is not ready."""
    folder = (data or state.data_folder()).absolute()
    try:
        stack = state.running(folder)
    except state.NotRunning as nothing:
        show.as_json({"running": False, "ready": False}) if json else typer.echo(str(nothing), err=True)
        raise typer.Exit(1) from None
    lags = [lag(part) for part in stack.parts]
    ready = stack.ready and all(part.state == "ready" for part in stack.parts)
    if json:
        show.as_json(
            {
                "running": True,
                "ready": ready,
                "data": stack.data,
                "pid": stack.pid,
                "graphql_url": stack.graphql_url,
                "intake_url": stack.intake_url,
                "kafka_bootstrap": stack.kafka_bootstrap,
                "roles": [
                    {
                        "name": part.name,
                        "pid": part.pid or None,
                        "state": part.state,
                        "missing": part.missing,
                        "restarts": part.restarts,
                        "lag": behind,
                        "url": part.url,
                    }
                    for part, behind in zip(stack.parts, lags, strict=True)
                ],
            }
        )
    else:
        rows = [
            (part.name, part.pid or "", part.state, part.restarts, "" if behind is None else behind, part.missing)
            for part, behind in zip(stack.parts, lags, strict=True)
        ]
        show.table(("role", "pid", "state", "restarts", "lag", "missing"), rows)
        typer.echo(f"GraphiQL {stack.graphql_url}   intake {stack.intake_url}   data {stack.data}")
    if not ready:
        raise typer.Exit(1)


def lag(part: PartState) -> int | None:
    """Records that the role has not taken yet, from its own metrics; None when it has no such figure."""
    name = LAG.get(part.name.partition("-")[0])
    if not name or not part.url or part.state != "ready":
        return None
    try:
        text = httpx.get(f"{part.url}/metrics", timeout=2, trust_env=False).text
    except httpx.HTTPError:
        return None
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]
    return int(sum(sample.value for sample in samples)) if samples else None
