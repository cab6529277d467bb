"""The workspace's own salespeople: added, renamed, retired, and who may get something."""

from crm.commands import Code
from crm.decisions.owners import owner_id
from crm.events import DealAssigned, DealOpened, OwnerChanged, TaskAdded, TaskChanged
from crm.shared import AssignmentRule
from crm.state import Owner, Workspace
from crm.state.entities import ONLY
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import NOON, SHOP, an, form, shop

OLHA = "+380671234567"


def team() -> OperatorSession:
    """Two owners, and one deal that nobody has."""
    session = operator_session(form("1", phones=[OLHA], amount_minor=100))
    session.do("owner_add", key="olha", name="Olha Shevchenko", email="Olha@Shop.UA", phone="067 123 45 67")
    return session.do("owner_add", key="petro", extension="102")


def test_an_owner_is_added_in_normal_form() -> None:
    session = operator_session(form("1", phones=[OLHA]))
    session.do("owner_add", key=" olha ", name="Olha", email="Olha@Shop.UA", phone="067 123 45 67", extension="101")
    session.then(
        an(
            OwnerChanged,
            owner_id=owner_id(SHOP, "olha"),
            key="olha",
            name="Olha",
            email="olha@shop.ua",
            phone="+380671234567",
            extension="101",
            active=True,
            why="added",
        )
    )
    found = session.state.get(Owner, owner_id(SHOP, "olha"))
    assert found == Owner("olha", "Olha", "olha@shop.ua", "+380671234567", "101", True, 1)
    session.do("owner_add", key="petro").then(an(OwnerChanged, key="petro", name="petro"))


def test_what_cannot_be_an_owner_is_refused() -> None:
    session = team()
    assert session.refuses("owner_add", "key", Code.TAKEN, key="olha") == (
        "There is an owner 'olha' already: Olha Shevchenko. Nothing was changed: `ownerChange` changes one."
    )
    session.refuses("owner_add", "key", Code.REQUIRED, key=" ")
    session.refuses("owner_add", "email", Code.INVALID, key="x", email="no address")
    session.refuses("owner_add", "phone", Code.INVALID, key="x", phone="12")
    session.refuses("owner_change", "key", Code.NOT_FOUND, key="x", name="X")
    session.refuses("owner_retire", "key", Code.NOT_FOUND, key="x")
    session.refuses("owner_change", "name", Code.REQUIRED, key="olha", name=" ")
    session.refuses("owner_change", "expectedVersion", Code.VERSION_CONFLICT, key="olha", name="O", expected_version=7)


def test_a_change_keeps_what_is_not_given() -> None:
    session = team().do("owner_change", key="olha", name="Olha Bondar", phone="", expected_version=1)
    session.then(an(OwnerChanged, key="olha", name="Olha Bondar", email="olha@shop.ua", phone="", active=True))
    session.refuses("owner_change", "", Code.UNCHANGED, key="olha", name="Olha Bondar")
    session.do("deal_assign", deal_id=session.id_of(), owner="olha").then(an(DealAssigned, owner="olha"))


def test_only_declared_and_active_owners_get_something() -> None:
    session = team()
    deal = session.id_of()
    assert session.refuses("deal_assign", "owner", Code.NOT_FOUND, deal_id=deal, owner="taras") == (
        "There is no owner 'taras' in this workspace. Nothing was changed: `ownerAdd` adds one."
    )
    contact = session.contact().contact_id
    session.refuses("deal_open", "owner", Code.NOT_FOUND, contact_id=contact, title="Desk", owner="taras")
    session.refuses("task_add", "owner", Code.NOT_FOUND, contact_id=contact, title="Ring", owner="taras")
    session.do("owner_retire", key="petro", why="left").then(an(OwnerChanged, key="petro", active=False, why="left"))
    assert session.refuses("deal_assign", "owner", Code.INVALID, deal_id=deal, owner="petro") == (
        "petro (petro) is retired and gets nothing new. Nothing was changed: choose another owner."
    )
    session.refuses("owner_retire", "key", Code.UNCHANGED, key="petro")
    session.do("deal_assign", deal_id=deal, owner="olha").then(an(DealAssigned, owner="olha"))
    session.do("deal_assign", deal_id=deal, owner="").then(an(DealAssigned, owner=""))
    session.do("task_add", contact_id=contact, title="Ring", owner="olha").then(an(TaskAdded, owner="olha"))


def test_a_task_of_a_retired_owner_can_still_be_changed() -> None:
    session = team()
    session.do("task_add", contact_id=session.contact().contact_id, title="Ring", owner="petro")
    (task,) = session.events
    session.do("owner_retire", key="petro")
    session.do("task_change", task_id=task.task_id, title="Write").then(an(TaskChanged, title="Write", owner="petro"))
    session.do("task_change", task_id=task.task_id, owner="olha").then(an(TaskChanged, owner="olha"))
    session.refuses("task_change", "owner", Code.INVALID, task_id=task.task_id, owner="petro")


def test_a_retired_owner_comes_back() -> None:
    session = team().do("owner_retire", key="olha").do("owner_add", key="olha", extension="103")
    session.then(an(OwnerChanged, name="Olha Shevchenko", extension="103", active=True, why="came back"))
    found = session.state.get(Workspace, ONLY)
    assert found and found.has_owners and found.retired == ()


def test_a_workspace_without_owners_takes_any_text() -> None:
    session = operator_session(form("1", phones=[OLHA]))
    session.do("deal_assign", deal_id=session.id_of(), owner="anybody").then(an(DealAssigned, owner="anybody"))


def test_an_owner_whom_rules_name_is_not_retired() -> None:
    session = team()
    session.do("assignment_rules_set", rules=[{"name": "all", "owners": ["petro"]}])
    assert session.refuses("owner_retire", "key", Code.IN_USE, key="petro") == (
        "petro (petro) gets deals by 'all'. Nothing was changed: set rules without them first."
    )


def test_a_known_contact_does_not_go_to_a_retired_owner() -> None:
    """Petro has the contact's open deal and is retired: the contact's next deal goes by the rules."""
    session = team()
    session.do("deal_assign", deal_id=session.id_of(), owner="petro")
    session.do("assignment_rules_set", rules=[{"name": "all", "owners": ["olha"]}])
    session.do("owner_retire", key="petro")
    session.when(form("2", NOON + 10**12, phones=[OLHA], amount_minor=5))
    assert [event.owner for event in session.events if isinstance(event, DealAssigned)] == ["olha"]
    assert any(isinstance(event, DealOpened) for event in session.events)


def test_rules_from_before_the_first_owner_stay_in_force() -> None:
    session = operator_session(*shop(AssignmentRule("all", ("anna",))))
    session.do("owner_add", key="olha").when(form("1", phones=[OLHA]))
    assert [event.owner for event in session.events if isinstance(event, DealAssigned)] == ["anna"]
