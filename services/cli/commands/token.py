"""`crm token create|list|revoke`: keys to a workspace."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from crm.envelope import now
from crm.scalars import Micros
from services.cli import output as show
from services.cli.options import Data, Json, Workspace
from services.cli.target import id_of, target, workspace
from services.stack.access import SCOPES, create_token, declared_tokens, revoke_token

app = typer.Typer(no_args_is_help=True, help="Keys to a workspace.")
SECONDS = {"h": 3_600, "d": 86_400, "w": 604_800}


@app.callback()
def token() -> None: ...


@app.command()
def create(
    name: Annotated[str, typer.Option(help="For people.")] = "command line",
    scope: Annotated[list[str], typer.Option(help=f"Of {', '.join(SCOPES)}.")] = ["read", "write"],  # noqa: B006
    expires_in: Annotated[str, typer.Option(help="As 12h, 90d or 8w; empty: it does not end by itself.")] = "",
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    if unknown := set(scope) - set(SCOPES):
        raise ValueError(f"There is no scope {', '.join(sorted(unknown))}; there are {', '.join(SCOPES)}.")
    ends = end_of(expires_in, now())
    where, owner = target(data), workspace(workspace_id, data)
    made = asyncio.run(create_token(where.kafka_bootstrap, owner, name, scope, ends))
    if json:
        told = {"token": made.text, "id": made.id, "workspace": owner, "scopes": scope, "expires_at": moment(ends)}
        show.as_json(told)
    else:
        typer.echo(made.text)
        typer.echo("It is shown this once; only its hash is kept. Send it as `Authorization: Bearer TOKEN`.", err=True)


@app.command(name="list")
def listed(workspace_id: Workspace = "", data: Data = None, json: Json = False) -> None:
    """Tokens of a workspace: what they may do, until when, and when the API saw them last."""
    from crm.adapters.postgres import token_uses

    where, owner = target(data), workspace(workspace_id, data)
    tokens = asyncio.run(declared_tokens(where.kafka_bootstrap, owner))
    used = asyncio.run(token_uses.read(where.database_url, [t.id for t in tokens]))
    rows = [(t.id, t.name, sorted(t.scopes), moment(t.expires_at), used.get(t.id)) for t in tokens]
    columns = ("id", "name", "scopes", "expires_at", "used_at")
    if json:
        show.as_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show.table(columns, [(id, name, " ".join(scopes), ends, seen) for id, name, scopes, ends, seen in rows])


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="As `crm token list` shows it.")],
    workspace_id: Workspace = "",
    data: Data = None,
    json: Json = False,
) -> None:
    """End a token: within moments nothing takes it any more."""
    where, owner, wanted = target(data), workspace(workspace_id, data), id_of(token_id)
    found = [t for t in asyncio.run(declared_tokens(where.kafka_bootstrap, owner)) if t.id == wanted]
    if not found:
        raise ValueError(f"This workspace has no token {wanted}, or no longer. Nothing was changed.")
    asyncio.run(revoke_token(where.kafka_bootstrap, found[0]))
    if json:
        show.as_json({"id": wanted, "revoked": True})
    else:
        typer.echo(f"{found[0].name} ({wanted}) is revoked.")


def end_of(text: str, at: Micros) -> Micros | None:
    """That long after `at`. Raises ValueError."""
    if not text:
        return None
    found = re.fullmatch(r"([1-9]\d{0,3})([hdw])", text)
    if not found:
        raise ValueError(f"--expires-in takes a number and h, d or w, as 90d; it was given {text!r}. Nothing was made.")
    return Micros(at + int(found[1]) * SECONDS[found[2]] * 1_000_000)


def moment(at: Micros | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at // 1_000_000, UTC).isoformat(sep=" ")
