"""New workspaces on a real Kafka and a real Postgres: made once, known to who never reads Postgres."""

import asyncio
from uuid import uuid4

import pytest

from crm.adapters.kafka.directory import Access
from crm.commands import Rejected
from crm.connector import Home
from crm.engine.workspaces import WorkspaceDiffers, WorkspaceSettings, create_workspace, workspaces
from crm.scalars import Id
from services.stack.access import SCOPES, declare_connection
from services.stack.workspaces import change_settings, declare_missing, open_workspace, validate

KRAKOW = WorkspaceSettings("Kraków", "PL", "PLN", "Europe/Warsaw", ("anna", "jan"))


async def known(bootstrap: str) -> Access:
    access = await Access().start(bootstrap)
    await access.stop()
    return access


def test_a_workspace_is_made_once_and_its_token_may_do_all(kafka_bootstrap: str, database_url: str) -> None:
    async def story() -> None:
        id = Id(str(uuid4()))
        assert validate(" Kraków ", "pl", "pln", "Europe/Warsaw", ["anna", "jan", "anna"]) == KRAKOW
        made, first = await open_workspace(kafka_bootstrap, database_url, KRAKOW, id)
        again, second = await open_workspace(kafka_bootstrap, database_url, KRAKOW, id)
        assert (made, again, (await workspaces(database_url))[id]) == (id, id, KRAKOW)
        form = await declare_connection(kafka_bootstrap, id, "form", "Form")
        access = await known(kafka_bootstrap)
        for text in (first, second):
            token = access.token(text)
            assert token is not None
            assert (token.workspace, token.scopes) == (id, frozenset(SCOPES))
        assert access.connections[form].home == Home("PL", "PLN", "Europe/Warsaw")

    asyncio.run(story())


def test_another_workspace_under_the_same_id_is_refused(kafka_bootstrap: str, database_url: str) -> None:
    async def story() -> None:
        id = Id(str(uuid4()))
        await create_workspace(database_url, id, "Shop", owners=("anna",))
        with pytest.raises(WorkspaceDiffers) as refused:
            await open_workspace(kafka_bootstrap, database_url, KRAKOW, id)
        assert str(refused.value) == (
            f"There is a workspace {id} already: 'Shop', country UA, UAH, Europe/Kyiv, owners anna. "
            "Nothing was changed."
        )
        assert id not in (await known(kafka_bootstrap)).homes

    asyncio.run(story())


def test_workspaces_of_earlier_releases_are_declared_at_a_start(kafka_bootstrap: str, fresh_database_url: str) -> None:
    """Intake never reads Postgres, so it read the numbers of every workspace as Ukrainian ones."""

    async def story() -> None:
        await declare_missing(kafka_bootstrap, fresh_database_url)
        old, made = Id(str(uuid4())), Id(str(uuid4()))
        await create_workspace(fresh_database_url, old, "Praha", "CZ", "CZK", "Europe/Prague")
        await open_workspace(kafka_bootstrap, fresh_database_url, KRAKOW, made)
        assert old not in (await known(kafka_bootstrap)).homes
        await declare_missing(kafka_bootstrap, fresh_database_url)
        homes = (await known(kafka_bootstrap)).homes
        assert (homes[old], homes[made]) == (
            Home("CZ", "CZK", "Europe/Prague"),
            Home("PL", "PLN", "Europe/Warsaw"),
        )

    asyncio.run(story())


def test_settings_are_changed_for_postgres_and_kafka_or_for_neither(kafka_bootstrap: str, database_url: str) -> None:
    async def story() -> None:
        id, _ = await open_workspace(kafka_bootstrap, database_url, KRAKOW)
        given = {"name": None, "country": "cz", "currency": "CZK", "timezone": None}
        changed = await change_settings(kafka_bootstrap, database_url, id, given)
        assert changed == WorkspaceSettings("Kraków", "CZ", "CZK", "Europe/Warsaw", ("anna", "jan"))
        assert (await known(kafka_bootstrap)).homes[id] == Home("CZ", "CZK", "Europe/Warsaw")
        with pytest.raises(Rejected, match="It takes an IANA name such as Europe/Kyiv, not 'Prague'"):
            await change_settings(kafka_bootstrap, database_url, id, {"currency": "EUR", "timezone": "Prague"})
        with pytest.raises(Rejected, match="There is no such workspace"):
            await change_settings(kafka_bootstrap, database_url, Id(str(uuid4())), {"currency": "EUR"})
        assert (await workspaces(database_url))[id] == changed
        assert (await known(kafka_bootstrap)).homes[id] == Home("CZ", "CZK", "Europe/Warsaw")

    asyncio.run(story())
