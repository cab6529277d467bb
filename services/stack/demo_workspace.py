"""The demo workspace of a first start: connections to post to and a token to read with."""

import secrets
from pathlib import Path
from uuid import uuid4

import msgspec

from crm.scalars import Id
from crm.secret_keys import SecretKeys
from services.stack.files import replace_file

OWNERS = ("olena", "taras")


class Demo(msgspec.Struct, frozen=True):
    """The content of `demo.json`, which only its owner can read. Later starts and `crm demo` use it."""

    workspace: Id
    token: str
    seed: str  # the secrets of its connections are derived from it
    connections: dict[str, Id]  # by connector

    @property
    def form(self) -> Id:
        """The connection that forms are posted to."""
        return self.connections["form"]


def path(data: Path) -> Path:
    return data / "demo.json"


def read(data: Path) -> Demo | None:
    try:
        return msgspec.json.decode(path(data).read_bytes(), type=Demo)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


async def ensure_demo_workspace(data: Path, bootstrap: str, dsn: str, keys: SecretKeys) -> Demo:
    """Returns the existing demo workspace, or creates one. `keys` encrypt the secrets of its connections."""
    # imported here, as `read` does not need them and nearly every command reads
    from crm.engine.workspaces import WorkspaceSettings, create_workspace
    from services.demo.connections import CONNECTORS, secret_of, settings_of
    from services.stack.access import create_token, declare_connection, record_declared
    from services.stack.workspaces import declare

    if known := read(data):
        return known
    workspace = Id(str(uuid4()))
    await create_workspace(dsn, workspace, "Demo", owners=OWNERS)
    await declare(bootstrap, {workspace: WorkspaceSettings("Demo", owners=OWNERS)})
    seed = secrets.token_urlsafe(24)
    connections = {
        name: await declare_connection(
            bootstrap, workspace, name, f"Demo {name}", secret_of(name, seed), settings_of(name, seed), keys=keys
        )
        for name in CONNECTORS
    }
    await record_declared(bootstrap, dsn)
    token = await create_token(bootstrap, workspace, "demo", ("read", "write", "connect"))
    demo = Demo(workspace, token.text, seed, connections)
    data.mkdir(parents=True, exist_ok=True)
    # Last of all: after a start that was interrupted, the next one creates another.
    replace_file(path(data), msgspec.json.encode(demo), 0o600)
    return demo
