"""Where a command works: the servers that the environment names, else the stack that runs here."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from crm.scalars import Id
from crm.settings import Settings
from services.stack import state


@dataclass(frozen=True)
class Target:
    """Addresses of a stack."""

    kafka_bootstrap: str
    database_url: str
    intake_url: str
    graphql_url: str


def target(data: Path | None = None) -> Target:
    """Raises NotRunning when the environment names no servers and no stack runs."""
    if "KAFKA_BOOTSTRAP" in os.environ and "DATABASE_URL" in os.environ:
        settings = Settings.read()
        return Target(
            settings.kafka_bootstrap,
            settings.database_url,
            os.environ.get("CRM_INTAKE_URL", f"http://{settings.host}:{settings.intake_port}"),
            os.environ.get("CRM_GRAPHQL_URL", f"http://{settings.host}:{settings.api_port}/graphql"),
        )
    stack = state.running(data or state.data_folder())
    return Target(stack.kafka_bootstrap, stack.database_url, stack.intake_url, stack.graphql_url)


def archive_of(data: Path | None = None) -> Path:
    """Where `crm archive` puts the log unless it is told otherwise: the folder need not be there."""
    given = os.environ.get("CRM_ARCHIVE")
    return Path(given).expanduser() if given else (data or state.data_folder()).absolute() / "archive"


def workspace(given: str, data: Path | None = None) -> Id:
    """The given one, else the demo workspace. Raises ValueError when there is none."""
    from services.stack import demo_workspace

    if given:
        return id_of(given)
    if demo := demo_workspace.read(data or state.data_folder()):
        return demo.workspace
    raise ValueError("There is no demo workspace yet: name one with --workspace, or start the stack with `crm up`.")


def id_of(text: str) -> Id:
    """As it is written everywhere. Raises ValueError for what would be nobody's: facts of it could never be decided."""
    try:
        return Id(str(UUID(text)))
    except ValueError:
        raise ValueError(f"{text!r} is no id, which has 32 hexadecimal digits. Nothing was changed.") from None
