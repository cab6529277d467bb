"""Deals by hand: opened, changed, moved, given to somebody, won and lost."""

import pytest

from crm.commands import Code
from crm.events import DealAssigned, DealChanged, DealOpened, DealPaid, DealStageMoved, PaymentMatched
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import an, form, paid

OLENA = "+380671234567"
NOBODY = "33333333-3333-5333-8333-333333333333"


def shop() -> OperatorSession:
    """Olena has D-1 for 200.00 UAH."""
    return operator_session(form("1", name="Olena", phones=[OLENA], amount_minor=20_000))


def test_a_deal_is_opened_by_hand() -> None:
    session = shop()
    olena = session.contact().contact_id
    said = {"contact_id": olena, "title": "Desk", "amount": {"minor": 5_000}, "stage": "in_progress", "owner": "anna"}
    session.do("deal_open", **said).then(
        an(
            DealOpened,
            number=2,
            contact_id=olena,
            amount_minor=5_000,
            currency="UAH",
            stage="in_progress",
            source="hand",
        ),
        an(DealAssigned, owner="anna", rule="", why="by hand"),
    )


def test_a_deal_without_an_owner_goes_by_the_rules() -> None:
    session = shop()
    session.do("deal_open", contact_id=session.contact().contact_id, title="Desk")
    session.then(an(DealOpened, stage="new"), an(DealAssigned, why="nobody: the workspace has no assignment rules yet"))


def test_a_payment_that_waited_for_it_is_matched_at_once() -> None:
    session = shop().when(paid("1", 700, reference="INV-7"))
    session.do(
        "deal_open", contact_id=session.contact().contact_id, title="Desk", amount={"minor": 700}, reference="INV-7"
    )
    session.then(
        an(DealOpened),
        an(DealAssigned),
        an(PaymentMatched, by="reference"),
        an(DealPaid, paid_minor=700),
        an(DealStageMoved, stage="paid"),
    )


@pytest.mark.parametrize(
    ("field", "code", "said"),
    [
        ("contactId", Code.NOT_FOUND, {"contact_id": NOBODY}),
        ("title", Code.REQUIRED, {"title": "  "}),
        ("stage", Code.NOT_FOUND, {"stage": "won"}),
        ("amount.minor", Code.INVALID, {"amount": {"minor": 10**15 + 1}}),
        ("amount.currency", Code.INVALID, {"amount": {"minor": 1, "currency": "XXX"}}),
        ("fields.size", Code.NOT_FOUND, {"fields": {"size": '"L"'}}),
    ],
)
def test_what_no_deal_can_be(field: str, code: Code, said: dict[str, object]) -> None:
    session = shop()
    session.refuses("deal_open", field, code, **{"contact_id": session.contact().contact_id, "title": "Desk"} | said)


def test_a_deal_moves_through_the_pipeline_and_back_from_an_outcome() -> None:
    session = shop()
    id = session.id_of()
    session.do("deal_move_stage", deal_id=id, stage="in_progress", why="she called")
    session.then(an(DealStageMoved, from_stage="new", stage="in_progress", why="she called"))
    session.do("deal_win", deal_id=id).then(an(DealStageMoved, stage="won", why="by hand"))
    assert session.contact().open_deals == ()
    session.refuses("deal_win", "dealId", Code.UNCHANGED, deal_id=id)
    session.do("deal_lose", deal_id=id, why="she changed her mind")
    session.then(an(DealStageMoved, from_stage="won", stage="lost", why="she changed her mind"))
    session.do("deal_move_stage", deal_id=id, stage="new")
    assert session.contact().open_deals == (id,)
    message = session.refuses("deal_move_stage", "stage", Code.NOT_FOUND, deal_id=id, stage="nowhere")
    assert message.startswith("There is no stage 'nowhere'; there are new, in_progress, part_paid, paid.")
    session.refuses("deal_lose", "why", Code.REQUIRED, deal_id=id, why=" ")
    session.refuses("deal_move_stage", "dealId", Code.NOT_FOUND, deal_id=NOBODY, stage="new")


def test_a_deal_gets_another_owner_and_none() -> None:
    session = shop()
    id = session.id_of()
    session.do("deal_assign", deal_id=id, owner="anna", why="she knows her").then(
        an(DealAssigned, owner="anna", rule="")
    )
    session.refuses("deal_assign", "owner", Code.UNCHANGED, deal_id=id, owner="anna")
    session.do("deal_assign", deal_id=id, owner="").then(an(DealAssigned, owner=""))


def test_a_version_that_somebody_else_has_moved_on_is_refused() -> None:
    session = shop()
    id, version = session.id_of(), session.deal(1).version
    session.do("deal_assign", deal_id=id, owner="anna", expected_version=version)
    message = session.refuses(
        "deal_assign", "expectedVersion", Code.VERSION_CONFLICT, deal_id=id, owner="b", expected_version=version
    )
    assert (
        message
        == f"It is at version {version + 1} now, and you have read {version}. Nothing was changed: read it again."
    )
    for name, more in (
        ("deal_move_stage", {"stage": "paid"}),
        ("deal_win", {}),
        ("deal_lose", {"why": "x"}),
        ("deal_change", {"title": "x"}),
    ):
        session.refuses(name, "expectedVersion", Code.VERSION_CONFLICT, deal_id=id, expected_version=version, **more)


def test_what_is_not_given_stays() -> None:
    session = shop()
    session.do("deal_change", deal_id=session.id_of(), title="Table")
    session.then(an(DealChanged, title="Table", amount_minor=None, currency=None, reference=None, fields={}))
    assert session.deal(1).amount_minor == 20_000
    session.refuses("deal_change", "", Code.REQUIRED, deal_id=session.id_of())
    session.refuses("deal_change", "title", Code.REQUIRED, deal_id=session.id_of(), title="")


def test_another_sum_moves_a_deal_that_has_money_as_a_payment_would() -> None:
    session = shop().when(paid("1", 10_000, purpose="D-1"))
    assert session.deal(1).stage == "part_paid"
    session.do("deal_change", deal_id=session.id_of(), amount={"minor": 10_000})
    session.then(
        an(DealChanged, amount_minor=10_000),
        an(DealStageMoved, stage="paid", why="its sum is another: paid in full"),
    )
    session.do("deal_change", deal_id=session.id_of(), amount={"minor": 10_001})
    session.then(an(DealChanged), an(DealStageMoved, from_stage="paid", stage="part_paid"))


def test_another_sum_leaves_a_deal_without_money_where_it_is() -> None:
    session = shop().do("deal_move_stage", deal_id=shop().id_of(), stage="paid")
    session.do("deal_change", deal_id=session.id_of(), amount={"minor": 1}).then(an(DealChanged))


def test_a_deal_is_found_by_its_new_reference() -> None:
    session = shop()
    session.do("deal_change", deal_id=session.id_of(), reference="INV-1").then(an(DealChanged, reference="INV-1"))
    session.when(paid("2", 100, reference="INV-1"))
    assert session.deal(1).paid_minor == 100


def test_another_currency_only_while_there_is_no_money() -> None:
    session = shop()
    session.do("deal_change", deal_id=session.id_of(), amount={"minor": 500, "currency": "USD"})
    assert (session.deal(1).amount_minor, session.deal(1).currency) == (500, "USD")
    session.when(paid("1", 100, purpose="D-1", currency="USD"))
    message = session.refuses(
        "deal_change",
        "amount.currency",
        Code.CURRENCY_MISMATCH,
        deal_id=session.id_of(),
        amount={"minor": 5, "currency": "UAH"},
    )
    assert message == "There is money in USD on D-1; it is never converted. Nothing was changed."
