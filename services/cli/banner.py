"""The banner of a stack that is ready: addresses, the demo's token and what to try first."""

from pathlib import Path

import typer

from crm.public_address import intake_url, warning
from crm.settings import Settings
from services.cli import output
from services.stack import demo_workspace
from services.stack.state import StackState

READY = """
Ready in {seconds:.1f} s. Data: {data}

  Console   {console}
  GraphiQL  {graphql}
  Intake    {intake}
"""
TRY = """
  Token     {token}
            Send it as `Authorization: Bearer TOKEN`. It is stored in {kept}, which only you can read.
            These addresses sign in with it: {console}/sign-in#token={token}
            and {graphql}#token={token}

Post a form, then find its deal in GraphiQL:

  curl {intake}/in/{form} -d name='Олена Коваль' -d phone='+380 67 123 45 67' -d message='Хочу кухню'

Try the demo stories: `crm demo`   Show the processes: `crm status`   Stop: Ctrl-C or `crm down`
"""


def print_banner(stack: StackState, as_json: bool) -> None:
    data = Path(stack.data)
    demo = demo_workspace.read(data)
    public = intake_url(Settings.read(), stack.intake_url)
    console = stack.graphql_url.removesuffix("/graphql") + "/console"
    if as_json:
        output.print_json(
            {
                "ready": True,
                "ready_after": stack.ready_after,
                "graphql_url": stack.graphql_url,
                "console_url": console,
                "intake_url": stack.intake_url,
                "public_url": public,
                "warning": warning(public) or None,
                "data": stack.data,
                "workspace": demo.workspace if demo else None,
                "form_url": f"{stack.intake_url}/in/{demo.form}" if demo else None,
                "token": demo.token if demo else None,
            }
        )
        return
    typer.echo(
        READY.format(
            seconds=stack.ready_after, data=data, console=console, graphql=stack.graphql_url, intake=stack.intake_url
        ).rstrip()
    )
    typer.echo(f"  Vendors   {public}" + (f"\n            {unreachable}" if (unreachable := warning(public)) else ""))
    if demo:
        kept = demo_workspace.path(data)
        output.say(
            TRY.format(
                token=demo.token,
                console=console,
                graphql=stack.graphql_url,
                kept=kept,
                intake=stack.intake_url,
                form=demo.form,
            ).strip("\n")
        )
