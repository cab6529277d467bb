"""Creates workspaces and declares them in Kafka."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from crm import zones
from crm.dialling import has_numbers
from crm.engine.workspaces import WorkspaceSettings, create_workspace, workspaces
from crm.errors import Malformed
from crm.facts import WorkspaceDeclared
from crm.money import currency_of
from crm.scalars import Id
from services.stack.access import SCOPES, origin, publish, read_directory, token_fact

LONGEST = 200  # characters of a name
NOTHING = "No workspace was created."


def validate(name: str, country: str, currency: str, timezone: str, owners: Sequence[str]) -> WorkspaceSettings:
    """Returns the values in their normal form. Raises ValueError with what is wrong."""
    title, region, names = name.strip(), country.strip().upper(), tuple(dict.fromkeys(o.strip() for o in owners))
    if not 0 < len(title) <= LONGEST:
        raise ValueError(f"--name takes 1 to {LONGEST} characters. {NOTHING}")
    if not has_numbers(region):
        raise ValueError(f"--country takes a two-letter ISO 3166 code such as UA or PL, not {country!r}. {NOTHING}")
    try:
        code = currency_of(currency)
    except Malformed:
        text = f"--currency takes a three-letter ISO 4217 code such as UAH or EUR, not {currency!r}."
        raise ValueError(f"{text} {NOTHING}") from None
    if not zones.exists(timezone):
        text = f"--timezone takes an IANA name such as Europe/Kyiv, not {timezone!r}."
        raise ValueError(f"{text} {NOTHING}")
    if not all(0 < len(owner) <= LONGEST for owner in names):
        raise ValueError(f"--owner takes 1 to {LONGEST} characters. {NOTHING}")
    return WorkspaceSettings(title, region, code, timezone, names)


async def open_workspace(
    bootstrap: str, dsn: str, values: WorkspaceSettings, workspace: Id | None = None
) -> tuple[Id, str]:
    """Creates a workspace and returns its id and the text of a new token with all scopes. Safe to repeat with an id.

    Raises Differs when a workspace with this id has other values.
    """
    id = workspace or Id(str(uuid4()))
    await create_workspace(dsn, id, values.name, values.country, values.currency, values.timezone, values.owners)
    token, text = token_fact(id, values.name, SCOPES)
    await publish(bootstrap, (id, workspace_fact(id, values)), (token.token, token))
    return id, text


async def declare(bootstrap: str, created: Mapping[Id, WorkspaceSettings]) -> None:
    """Publishes the values of workspaces, so that intake and API learn them without reading Postgres."""
    await publish(bootstrap, *((id, workspace_fact(id, values)) for id, values in created.items()))


def workspace_fact(id: Id, values: WorkspaceSettings) -> WorkspaceDeclared:
    return WorkspaceDeclared(origin(id, id), values.name, values.country, values.currency, values.timezone)


async def declare_missing(bootstrap: str, dsn: str) -> None:
    """Declares workspaces that an earlier release created without declaring them in Kafka."""
    if not (created := await workspaces(dsn)):
        return
    declared = (await read_directory(bootstrap)).homes
    await declare(bootstrap, {id: values for id, values in created.items() if id not in declared})
