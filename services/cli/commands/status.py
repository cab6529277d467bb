"""`crm status`: the state and lag of each process of the stack."""

import httpx
import typer
from prometheus_client.parser import text_string_to_metric_families

from crm.adapters.kafka.address import servers_of
from crm.public_address import intake_url, warning
from crm.settings import Settings
from services.cli import output
from services.cli.options import Data, Json
from services.stack import demo_workspace, state
from services.stack.state import PartState

PANEL, RANK = "Run", 4

ROLE = ("name", "state", "missing", "restarts", "url")  # the fields of a part that --json has as they are
LAG = {
    **dict.fromkeys(("decide", "project", "outbound"), "kafka_consumergroup_lag"),
    "relay": "crm_relay_backlog",
}


def status(data: Data = None, json: Json = False) -> None:
    """Show each process, its state and its lag. Exits with 1 when nothing is running or something is not ready."""
    folder = (data or state.data_folder()).absolute()
    try:
        stack = state.running(folder)
    except state.NotRunning as error:
        output.print_json({"running": False, "ready": False}) if json else output.say(str(error), err=True)
        raise typer.Exit(1) from None
    lags = [lag(part) for part in stack.parts]
    demo = demo_workspace.read(folder)
    public = intake_url(Settings.read(), stack.intake_url)
    ready = stack.ready and all(part.state == "ready" for part in stack.parts)
    if json:
        output.print_json(
            {
                "running": True,
                "ready": ready,
                "data": stack.data,
                "pid": stack.pid,
                "graphql_url": stack.graphql_url,
                "intake_url": stack.intake_url,
                "facts_url": f"{stack.intake_url}/facts",
                "public_url": public,
                "warning": warning(public) or None,
                "kafka_bootstrap": servers_of(stack.kafka_bootstrap),
                "workspace": demo.workspace if demo else None,
                "roles": [
                    {name: getattr(part, name) for name in ROLE} | {"pid": part.pid or None, "lag": records}
                    for part, records in zip(stack.parts, lags, strict=True)
                ],
            }
        )
    else:
        rows = [
            (part.name, part.pid or "", part.state, part.restarts, "" if records is None else records, part.missing)
            for part, records in zip(stack.parts, lags, strict=True)
        ]
        output.print_table(("role", "pid", "state", "restarts", "lag", "missing"), rows)
        typer.echo(f"GraphiQL {stack.graphql_url}   intake {stack.intake_url}   data {stack.data}")
        typer.echo(f"Vendors call {public}. {warning(public)}".rstrip())
    if not ready:
        raise typer.Exit(1)


def lag(part: PartState) -> int | None:
    """Returns the number of records that the role still has to read, from its metrics; None when they do not say."""
    name = LAG.get(part.name.partition("-")[0])
    if not name or not part.url or part.state != "ready":
        return None
    try:
        text = httpx.get(f"{part.url}/metrics", timeout=2, trust_env=False).text
    except httpx.HTTPError:
        return None
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]
    return int(sum(sample.value for sample in samples)) if samples else None
