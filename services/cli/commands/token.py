"""`crm token create|list|revoke`: API tokens of a workspace."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from crm.envelope import now
from crm.scalars import Micros
from crm.tokens import INSTALLATION, INSTALLATION_SCOPE
from services.cli import output
from services.cli.options import Data, Json, Workspace
from services.cli.target import existing_workspace, id_of, target, workspace
from services.stack.access import SCOPES, create_token, declared_tokens, revoke_token

PANEL, RANK = "Connect", 3

app = typer.Typer(no_args_is_help=True, help="API tokens of a workspace.")
Installation = Annotated[
    bool, typer.Option("--installation", help="Of the installation: creates workspaces, and reads no data of any.")
]
SECONDS = {"h": 3_600, "d": 86_400, "w": 604_800}


@app.callback()
def token() -> None: ...


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Display name.")] = "command line",
    scope: Annotated[
        list[str], typer.Option(help=f"One of {', '.join(SCOPES)}; may be repeated.", show_default="read and write")
    ] = [],  # noqa: B006
    expires_in: Annotated[str, typer.Option(help="Lifetime: 12h, 90d or 8w; empty: it does not expire.")] = "",
    workspace_id: Workspace = "",
    installation: Installation = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Create a token and print it. This is the only time it is shown: only its hash is stored."""
    if installation and (scope or workspace_id):
        raise ValueError("--installation takes neither --scope nor --workspace. No token was created.")
    scopes = [INSTALLATION_SCOPE] if installation else scope or ["read", "write"]
    if unknown := set(scope) - set(SCOPES):
        raise ValueError(f"There is no scope {', '.join(sorted(unknown))}. Choose from {', '.join(SCOPES)}.")
    ends = end_of(expires_in, now())
    where = target(data)
    owner = INSTALLATION if installation else existing_workspace(workspace_id, data)
    made = asyncio.run(create_token(where.kafka_bootstrap, owner, name, scopes, ends))
    if json:
        output.print_json(
            {"token": made.text, "id": made.id, "workspace": owner, "scopes": scopes, "expires_at": moment(ends)}
        )
    else:
        typer.echo(made.text)
        typer.echo("Store it now: it is not shown again. Send it as `Authorization: Bearer TOKEN`.", err=True)


@app.command(name="list")
def listed(
    workspace_id: Workspace = "", installation: Installation = False, data: Data = None, json: Json = False
) -> None:
    """List the tokens of a workspace: scopes, expiry and last use in the API."""
    from crm.adapters.postgres import token_uses

    where = target(data)
    owner = INSTALLATION if installation else workspace(workspace_id, data)
    tokens = asyncio.run(declared_tokens(where.kafka_bootstrap, owner))
    used = asyncio.run(token_uses.read(where.database_url, [t.id for t in tokens]))
    rows = [(t.id, t.name, sorted(t.scopes), moment(t.expires_at), used.get(t.id)) for t in tokens]
    columns = ("id", "name", "scopes", "expires_at", "used_at")
    if json:
        output.print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        output.print_table(columns, [(id, name, " ".join(scopes), ends, seen) for id, name, scopes, ends, seen in rows])


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id, as `crm token list` shows it.")],
    workspace_id: Workspace = "",
    installation: Installation = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Revoke a token. It is refused everywhere within moments."""
    where, wanted = target(data), id_of(token_id)
    owner = INSTALLATION if installation else workspace(workspace_id, data)
    found = [t for t in asyncio.run(declared_tokens(where.kafka_bootstrap, owner)) if t.id == wanted]
    if not found:
        whose = "The installation" if installation else "This workspace"
        raise ValueError(f"{whose} has no token {wanted}, or it was revoked before. Nothing was changed.")
    asyncio.run(revoke_token(where.kafka_bootstrap, found[0]))
    if json:
        output.print_json({"id": wanted, "revoked": True})
    else:
        typer.echo(f"{found[0].name} ({wanted}) is revoked.")


def end_of(text: str, at: Micros) -> Micros | None:
    """Returns the time that long after `at`; None for an empty text. Raises ValueError."""
    if not text:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})([hdw])", text)
    if not found:
        raise ValueError(f"--expires-in takes a number and h, d or w, such as 90d, not {text!r}. No token was created.")
    return Micros(at + int(found[1]) * SECONDS[found[2]] * 1_000_000)


def moment(at: Micros | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1_000_000, UTC).isoformat(sep=" ")
