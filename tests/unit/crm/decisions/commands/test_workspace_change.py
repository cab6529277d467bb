"""workspaceChange: settings for what comes from now on."""

import pytest

from crm.commands import Code
from crm.events import ContactCreated, DealOpened, PipelineChanged, WorkspaceChanged
from crm.state import Workspace
from crm.state.entities import ONLY
from tests.support.operator_session import operator_session
from tests.support.scenarios import an, shop


def test_settings_hold_for_what_comes_next() -> None:
    session = operator_session(*shop())
    session.do("contact_create", name="Olena", phones=["067 123 45 67"])
    olena = session.contact().contact_id
    session.do("deal_open", contact_id=olena, title="Desk", amount={"minor": 100})
    session.do("workspace_change", country="pl", currency="pln", timezone="Europe/Warsaw", expected_version=1)
    session.then(
        an(
            WorkspaceChanged,
            name="Shop",
            country="PL",
            currency="PLN",
            timezone="Europe/Warsaw",
            why="country: PL, currency: PLN, timezone: Europe/Warsaw",
        )
    )
    assert session.deal(1).currency == "UAH"
    session.do("deal_open", contact_id=olena, title="Chair", amount={"minor": 100})
    assert [e.currency for e in session.events if isinstance(e, DealOpened)] == ["PLN"]
    session.do("contact_create", name="Jan", phones=["512 345 678"])
    assert [e.identifiers[0].value for e in session.events if isinstance(e, ContactCreated)] == ["+48512345678"]


def test_it_counts_as_a_change_of_the_pipelines_row() -> None:
    session = operator_session(*shop()).do("workspace_change", name="Shop 2", expected_version=1)
    found = session.state.get(Workspace, ONLY)
    assert found and (found.version, found.name) == (2, "Shop 2")
    session.refuses("stage_add", "expectedVersion", Code.VERSION_CONFLICT, key="x", expected_version=1)
    session.do("stage_add", key="x", expected_version=2).then(an(PipelineChanged, name="Shop 2"))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", " ", "It takes 1 to 200 characters."),
        ("country", "Ukraine", "It takes a two-letter ISO 3166 code such as UA or PL, not 'Ukraine'."),
        ("currency", "hryvnia", "It takes a three-letter ISO 4217 code such as UAH or EUR, not 'hryvnia'."),
        ("timezone", "Kyiv", "It takes an IANA name such as Europe/Kyiv, not 'Kyiv'."),
    ],
)
def test_what_no_workspace_can_have_is_refused(field: str, value: str, said: str) -> None:
    session = operator_session(*shop())
    message = session.refuses("workspace_change", field, Code.INVALID, **{field: value})
    assert message == f"{said} Nothing was changed."


def test_the_same_settings_change_nothing() -> None:
    operator_session(*shop()).refuses("workspace_change", "", Code.UNCHANGED, country="ua")
