"""New workspaces, and what Kafka has to know of those that are there."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

import phonenumbers

from crm import zones
from crm.adapters.kafka.directory import Access
from crm.engine.workspaces import Values, create_workspace, workspaces
from crm.errors import Malformed
from crm.facts import WorkspaceDeclared
from crm.money import currency_of
from crm.scalars import Id
from services.stack.access import SCOPES, origin, tell, token_fact

LONGEST = 200  # characters of a name
NOTHING = "Nothing was made."


def checked(name: str, country: str, currency: str, timezone: str, owners: Sequence[str]) -> Values:
    """Raises ValueError with a sentence on what is wrong."""
    named, region, taken = name.strip(), country.strip().upper(), tuple(dict.fromkeys(o.strip() for o in owners))
    if not 0 < len(named) <= LONGEST:
        raise ValueError(f"--name takes 1 to {LONGEST} characters. {NOTHING}")
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"--country takes two letters of ISO 3166, as UA or PL; it was given {country!r}. {NOTHING}")
    try:
        code = currency_of(currency)
    except Malformed:
        text = f"--currency takes three letters of ISO 4217, as UAH or EUR; it was given {currency!r}."
        raise ValueError(f"{text} {NOTHING}") from None
    if not zones.exists(timezone):
        text = f"--timezone takes an IANA name, as Europe/Kyiv; it was given {timezone!r}."
        raise ValueError(f"{text} {NOTHING}")
    if not all(0 < len(owner) <= LONGEST for owner in taken):
        raise ValueError(f"--owner takes 1 to {LONGEST} characters. {NOTHING}")
    return Values(named, region, code, timezone, taken)


async def open_workspace(bootstrap: str, dsn: str, values: Values, workspace: Id | None = None) -> tuple[Id, str]:
    """Its id, and the text of a new token with all scopes. Twice under one id is one workspace.

    Raises Differs when there is one of this id with other values.
    """
    id = workspace or Id(str(uuid4()))
    said = values.name, values.country, values.currency, values.timezone, values.owners
    await create_workspace(dsn, id, *said)
    token, text = token_fact(id, values.name, SCOPES)
    await tell(bootstrap, (id, workspace_fact(id, values)), (token.token, token))
    return id, text


async def declare(bootstrap: str, there: Mapping[Id, Values]) -> None:
    """What holds for all connections and tokens of these: who follows them learns it without a look into Postgres."""
    await tell(bootstrap, *((id, workspace_fact(id, values)) for id, values in there.items()))


def workspace_fact(id: Id, values: Values) -> WorkspaceDeclared:
    return WorkspaceDeclared(origin(id, id), values.name, values.country, values.currency, values.timezone)


async def declare_missing(bootstrap: str, dsn: str) -> None:
    """Workspaces that were made before they were declared in Kafka."""
    if not (there := await workspaces(dsn)):
        return
    access = await Access().start(bootstrap)
    await access.stop()
    await declare(bootstrap, {id: values for id, values in there.items() if id not in access.homes})
