"""`crm doctor`: checks everything a stack needs and says how to fix what is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from services.cli import output
from services.cli.doctor import answers, checks, flow, receivers, servers, team, versions, zones
from services.cli.doctor.checks import Finding
from services.cli.options import Data, Json
from services.stack import state

PANEL, RANK = "Run", 3

Check = Callable[[checks.Installation], Awaitable[list[Finding]] | list[Finding]]
OFFLINE: tuple[Check, ...] = (checks.python, checks.packages, zones.zone_rules, checks.disk)
ONLINE: tuple[Check, ...] = (
    servers.kafka_answers,
    servers.topics_fit,
    servers.postgres_answers,
    checks.roles_ready,
    checks.lags_small,
    checks.public_address,
    versions.versions,
    flow.flows,
    receivers.receivers,
    answers.answers,
    team.assignment,
)


def doctor(
    data: Data = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only checks that need no running stack.")] = False,
    json: Json = False,
) -> None:
    """Check this machine and the running stack, and say how to fix problems. Exits with 1 if there are any."""
    installation = checks.inspect_installation((data or state.data_folder()).absolute())
    findings = asyncio.run(run(OFFLINE if offline else OFFLINE + ONLINE, installation))
    ok = all(finding.ok for finding in findings)
    if json:
        output.print_json({"ok": ok, "checks": findings, "settings": installation.settings})
    else:
        for name, value in installation.settings.items():
            typer.echo(f"  {name}={value}")
        for finding in findings:
            mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("FIX ", fg="red", bold=True)
            output.say(f"{mark}{finding.about:<10} {finding.sentence}")
        typer.echo("All checks passed." if ok else "Something is wrong: see the lines with FIX.")
    if not ok:
        raise typer.Exit(1)


async def run(every: tuple[Check, ...], installation: checks.Installation) -> list[Finding]:
    findings: list[Finding] = []
    for check in every:
        try:
            found = check(installation)
            findings += found if isinstance(found, list) else await found
        except Exception as error:  # a check that fails is a finding too
            findings.append(Finding(check.__name__, False, f"{type(error).__name__}: {str(error).strip()}"))
    return findings
