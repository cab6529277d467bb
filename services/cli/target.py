"""The servers that a command works on: those that the environment names, else the local stack."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from crm.scalars import Id
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from services.stack import state
from services.stack.secret_keys import secret_keys


@dataclass(frozen=True)
class Target:
    """Addresses of a running installation, and the keys of its secrets."""

    kafka_bootstrap: str
    database_url: str
    intake_url: str
    graphql_url: str
    keys: SecretKeys = field(default_factory=SecretKeys)


def target(data: Path | None = None) -> Target:
    """Returns the addresses. Raises NotRunning when the environment names no servers and no stack is running."""
    if "KAFKA_BOOTSTRAP" in os.environ and "DATABASE_URL" in os.environ:
        settings = Settings.read()
        return Target(
            settings.kafka_bootstrap,
            settings.database_url,
            os.environ.get("CRM_INTAKE_URL", f"http://{settings.host}:{settings.intake_port}"),
            os.environ.get("CRM_GRAPHQL_URL", f"http://{settings.host}:{settings.api_port}/graphql"),
            secret_keys(data),
        )
    stack = state.running(data or state.data_folder())
    return Target(stack.kafka_bootstrap, stack.database_url, stack.intake_url, stack.graphql_url, secret_keys(data))


def archive_of(data: Path | None = None) -> Path:
    """Returns the default folder of `crm archive`, which need not exist."""
    given = os.environ.get("CRM_ARCHIVE")
    return Path(given).expanduser() if given else (data or state.data_folder()).absolute() / "archive"


def workspace(given: str, data: Path | None = None) -> Id:
    """Returns the given workspace, else the demo workspace. Raises ValueError when there is none."""
    from services.stack import demo_workspace

    if given:
        return id_of(given)
    if demo := demo_workspace.read(data or state.data_folder()):
        return demo.workspace
    raise ValueError(
        "There is no demo workspace yet: give --workspace (or CRM_WORKSPACE), or start the stack with `crm up`."
    )


def existing_workspace(given: str, data: Path | None = None) -> Id:
    """Returns the given workspace, else the demo workspace. Raises ValueError when there is none."""
    import asyncio

    from crm.engine.workspaces import workspace_exists

    id = workspace(given, data)
    if not asyncio.run(workspace_exists(target(data).database_url, id)):
        why = f"There is no workspace {id}. Nothing was changed. `crm workspace list` lists them."
        raise ValueError(f"{why} `crm workspace create` creates one.")
    return id


def id_of(text: str) -> Id:
    """Returns a UUID in its usual spelling. Raises ValueError for any other text."""
    try:
        return Id(str(UUID(text)))
    except ValueError:
        why = f"{text!r} is not an id: ids are UUIDs of 32 hexadecimal digits. Nothing was changed."
        raise ValueError(why) from None
