"""What was doubtful is settled by hand, and a merge shows what both cards know, exactly as long as it lasts."""

from typing import Any

from crm.commands import Code
from crm.decisions.contacts import card_of, doubted
from crm.events import DealOpened, IdentifierDoubted, IdentifierRemoved, IdentifierSettled
from crm.scalars import Id
from projections import PROJECTIONS
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.projection_events import fold as rows_of
from tests.support.scenarios import SHOP, an, form

PETRO, NATALKA, IVAN = "+380961112233", "+380631112233", "+380501112233"
MAIL = "zaitsi@example.com"


def family() -> OperatorSession:
    return operator_session(
        form("1", name="Petro", phones=[PETRO], emails=(MAIL,)),
        form("2", name="Natalka", phones=[NATALKA], emails=(MAIL,)),
    )


def row(shop: OperatorSession, id: Id) -> Any:
    return rows_of(PROJECTIONS["contact"], shop.decide.journal)[SHOP, id]


def test_it_is_one_contacts_alone() -> None:
    shop = family()
    petro, natalka = shop.contact("Petro").contact_id, shop.contact("Natalka").contact_id
    assert row(shop, petro).doubted == {f"email:{MAIL}": f'["{natalka}"]'}
    shop.do("identifier_settle", contact_id=petro, kind="email", value=" Zaitsi@example.com", why="his").then(
        an(IdentifierRemoved, contact_id=natalka, value=MAIL, why="it is of Petro alone: his"),
        an(IdentifierSettled, contact_id=petro, value=MAIL),
    )
    assert card_of(shop.state, f"email:{MAIL}") == shop.contact("Petro")
    assert (row(shop, petro).doubted, row(shop, natalka).doubted, row(shop, natalka).emails) == ({}, {}, ())
    shop.refuses("identifier_settle", "", Code.UNCHANGED, contact_id=petro, kind="email", value=MAIL)


def test_it_can_be_given_to_the_other_one() -> None:
    """What a number had joined wrongly is taken apart."""
    shop = operator_session(form("1", name="Petro", phones=[PETRO, IVAN]), form("2", name="Ivan", emails=("i@ua.net",)))
    ivan = shop.contact("Ivan").contact_id
    shop.do("identifier_settle", contact_id=ivan, kind="phone", value="050 111 22 33")
    assert shop.contact("Petro").identifiers == (f"phone:{PETRO}",)
    assert shop.contact("Ivan").identifiers == ("email:i@ua.net", f"phone:{IVAN}")


def test_it_identifies_nobody() -> None:
    shop = operator_session(form("1", name="Petro", phones=[PETRO], emails=("kasa@firma.ua",)))
    petro = shop.contact().contact_id
    shop.do(
        "identifier_settle", contact_id=petro, kind="email", value="kasa@firma.ua", nobodys=True, why="a till"
    ).then(an(IdentifierDoubted, contact_id=petro, other_id=None, why="a till"))
    assert doubted(shop.state, "email:kasa@firma.ua") == (petro,)
    assert row(shop, petro).doubted == {"email:kasa@firma.ua": '[""]'}
    shop.when(form("2", form="B", emails=("kasa@firma.ua",)))
    assert shop.every(DealOpened)[-1].contact_id != petro
    shop.refuses(
        "identifier_settle", "", Code.UNCHANGED, contact_id=petro, kind="email", value="kasa@firma.ua", nobodys=True
    )
    shop.refuses(
        "identifier_settle", "value", Code.NOT_FOUND, contact_id=petro, kind="email", value="x@firma.ua", nobodys=True
    )
    shop.do("identifier_settle", contact_id=petro, kind="email", value="kasa@firma.ua")
    assert card_of(shop.state, "email:kasa@firma.ua") == shop.contact("Petro")


def test_who_is_left_with_it_is_known_by_it_again() -> None:
    shop = family()
    petro, natalka = shop.contact("Petro").contact_id, shop.contact("Natalka").contact_id
    shop.do("contact_change", contact_id=natalka, remove_emails=[MAIL]).then(
        an(IdentifierRemoved, contact_id=natalka), an(IdentifierSettled, contact_id=petro)
    )
    assert card_of(shop.state, f"email:{MAIL}") == shop.contact("Petro")


def test_two_who_are_one_are_merged_and_known_by_it_and_taken_apart_exactly() -> None:
    shop = family()
    petro, natalka = shop.contact("Petro").contact_id, shop.contact("Natalka").contact_id
    before = {id: row(shop, id) for id in (petro, natalka)}
    shop.do("contact_merge", contact_id=natalka, into_id=petro)
    assert card_of(shop.state, f"email:{MAIL}") == shop.contact("Petro")
    assert row(shop, petro).doubted == {}
    shop.do("contact_unmerge", contact_id=natalka)
    assert {id: as_it_stands(row(shop, id)) for id in before} == {id: as_it_stands(one) for id, one in before.items()}
    assert len(doubted(shop.state, f"email:{MAIL}")) == 2


def as_it_stands(row: Any) -> dict[str, Any]:
    """All but how often it was touched."""
    return {name: getattr(row, name) for name in row.__struct_fields__ if name not in ("version", "touched_at")}


def test_a_merged_card_fills_what_the_other_does_not_know_and_a_conflict_is_shown() -> None:
    """Searches lost its fields, though nobody had removed them."""
    shop = operator_session(form("1", phones=[PETRO]), form("2", name="Natalka", phones=[NATALKA]))
    for key in ("size", "color", "vip"):
        shop.do("field_define", entity="contact", key=key, type="text")
    into, other = (shop.every(DealOpened)[n].contact_id for n in (0, 1))
    shop.do("contact_change", contact_id=into, fields={"size": '"L"'})
    shop.do("contact_change", contact_id=other, fields={"size": '"M"', "color": '"red"'})
    before = row(shop, into), row(shop, other)
    shop.do("contact_merge", contact_id=other, into_id=into)
    shown = row(shop, into)
    assert (shown.name, shown.fields) == ("Natalka", {"size": '"L"', "color": '"red"'})
    assert shown.conflicts == {"fields.size": '["L", "M"]'}
    shop.do("contact_change", contact_id=into, name="Nata", fields={"color": "null", "vip": '"yes"'})
    shown = row(shop, into)
    assert (shown.name, shown.fields) == ("Nata", {"size": '"L"', "vip": '"yes"'})
    assert shown.conflicts == {"name": '["Nata","Natalka"]', "fields.size": '["L", "M"]'}
    shop.do("contact_change", contact_id=into, name="", fields={"vip": "null"})
    shop.do("contact_unmerge", contact_id=other)
    assert tuple(map(as_it_stands, (row(shop, into), row(shop, other)))) == tuple(map(as_it_stands, before))


def test_a_chain_of_merges_is_shown_to_the_top() -> None:
    shop = operator_session(
        form("1", name="Anna", phones=[PETRO]), form("2", phones=[NATALKA]), form("3", phones=[IVAN])
    )
    a, b, c = (deal.contact_id for deal in shop.every(DealOpened))
    shop.do("contact_merge", contact_id=a, into_id=b).do("contact_merge", contact_id=b, into_id=c)
    assert [row(shop, id).name for id in (b, c)] == ["Anna", "Anna"]
    shop.do("contact_unmerge", contact_id=b)
    assert [row(shop, id).name for id in (b, c)] == ["Anna", ""]
    assert row(shop, c).sources == {}


def test_a_name_that_comes_by_a_merged_cards_number_goes_with_it() -> None:
    shop = operator_session(form("1", phones=[PETRO]), form("2", phones=[NATALKA]))
    petro, natalka = (deal.contact_id for deal in shop.every(DealOpened))
    shop.do("contact_merge", contact_id=natalka, into_id=petro)
    shop.when(form("3", form="B", name="Natalka", phones=[NATALKA]))
    assert row(shop, petro).name == "Natalka"
    shop.do("contact_unmerge", contact_id=natalka)
    assert (row(shop, petro).name, row(shop, natalka).name) == ("", "Natalka")
