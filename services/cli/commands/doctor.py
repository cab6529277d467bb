"""`crm doctor`: looks at everything a stack needs and says what to do about what is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from services.cli import output as show
from services.cli.doctor import checks
from services.cli.doctor import flow as flow_checks
from services.cli.doctor import servers as server_checks
from services.cli.doctor import versions as version_checks
from services.cli.doctor import zones as zone_checks
from services.cli.doctor.checks import Finding
from services.cli.options import Data, Json
from services.stack import state

Check = Callable[[checks.Patient], Awaitable[list[Finding]] | list[Finding]]
OFFLINE: tuple[Check, ...] = (checks.python, checks.packages, zone_checks.zone_rules, checks.disk)
ONLINE: tuple[Check, ...] = (
    server_checks.kafka_answers,
    server_checks.topics_fit,
    server_checks.postgres_answers,
    checks.roles_ready,
    checks.lags_small,
    version_checks.versions,
    flow_checks.flows,
)


def doctor(
    data: Data = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only what needs no running stack.")] = False,
    json: Json = False,
) -> None:
    """Check this machine and the running stack. Exit code 1 when something is wrong."""
    patient = checks.examine((data or state.data_folder()).absolute())
    findings = asyncio.run(run(OFFLINE if offline else OFFLINE + ONLINE, patient))
    well = all(finding.ok for finding in findings)
    if json:
        show.as_json({"ok": well, "checks": findings, "settings": patient.settings})
    else:
        for name, value in patient.settings.items():
            typer.echo(f"  {name}={value}")
        for finding in findings:
            mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("FIX ", fg="red", bold=True)
            typer.echo(f"{mark}{finding.about:<10} {finding.sentence}")
        typer.echo("All is well." if well else "Something is wrong: see the lines with FIX.")
    if not well:
        raise typer.Exit(1)


async def run(every: tuple[Check, ...], patient: checks.Patient) -> list[Finding]:
    findings: list[Finding] = []
    for check in every:
        try:
            found = check(patient)
            findings += found if isinstance(found, list) else await found
        except Exception as error:  # a check that fails is a finding too
            findings.append(Finding(check.__name__, False, f"{type(error).__name__}: {str(error).strip()}"))
    return findings
