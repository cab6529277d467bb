"""`crm secrets status|rotate|key`: the keys that encrypt the secrets of connections."""

import asyncio
from typing import Annotated

import typer

from crm.secret_keys import new_key
from services.cli import output
from services.cli.options import Data, Json
from services.cli.target import target
from services.stack.encryption import SecretsState, encrypt_again, secrets_state
from services.stack.secret_keys import ensure_key, key_file, put_first

PANEL, RANK = "Connect", 7

app = typer.Typer(no_args_is_help=True, help="The keys that encrypt the secrets of connections. See docs/secrets.md.")


@app.command()
def status(data: Data = None, json: Json = False) -> None:
    """Show how many secrets are encrypted with which key. Exits with 1 if one is in clear or cannot be decrypted."""
    where = target(data)
    found = asyncio.run(secrets_state(where.kafka_bootstrap, where.keys))
    if json:
        output.print_json({"keys": where.keys.ids, **{name: getattr(found, name) for name in found.__struct_fields__}})
    else:
        for line in said(found, where.keys.ids):
            typer.echo(line)
    if found.in_clear or found.lost or found.old_in_clear:
        raise typer.Exit(1)


def said(found: SecretsState, keys: tuple[str, ...]) -> list[str]:
    """Returns the state in sentences."""
    lines = [f"Key {id}: {'encrypts' if id == keys[0] else 'decrypts'}" for id in keys] or ["There is no key yet."]
    lines += [f"{count:,} connections are encrypted with the key {id}." for id, count in found.encrypted.items()]
    if found.in_clear:
        lines.append(f"{found.in_clear:,} connections are in clear: `crm secrets rotate` encrypts them.")
    if found.old_in_clear:
        lines.append(
            f"{found.old_in_clear:,} older declarations in clear are still in Kafka: it drops them within a minute of "
            "`crm secrets rotate`."
        )
    if found.lost:
        lines.append(
            f"{len(found.lost):,} connections cannot be decrypted: {', '.join(found.lost)}. Their deliveries are "
            "answered 503 and nothing is kept, so vendors send them again. Put their key back, or give each a new "
            "secret with `crm connect`."
        )
    return lines


@app.command()
def rotate(
    make: Annotated[bool, typer.Option("--new-key", help="Make a new key first, in the file of keys.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Encrypt all secrets with the first key, also those in clear. Deliveries are taken meanwhile."""
    where, file = target(data), key_file(data)
    if make and file is None:
        raise ValueError(
            "The keys are in CRM_SECRETS_KEY, so this command cannot change them. Nothing was changed. Add the new key "
            "as docs/secrets.md says, then run `crm secrets rotate`."
        )
    ensure_key(data)
    if make and file:
        put_first(file, new_key())
    where.keys.refresh()
    done = asyncio.run(encrypt_again(where.kafka_bootstrap, where.keys, every=True))
    if json:
        output.print_json({"key": where.keys.ids[0], "encrypted": done})
    else:
        typer.echo(f"Encrypted {len(done):,} connections with the key {where.keys.ids[0]}.")


@app.command()
def key() -> None:
    """Print a new key. Keep a copy apart from the backups: without it they do not give the secrets back."""
    typer.echo(new_key())
