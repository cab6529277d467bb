"""Cards by hand: made, changed, merged, and taken apart again."""

from crm.commands import Code
from crm.decisions.contacts import card
from crm.events import (
    CallOpened,
    ContactAbsorbed,
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactReleased,
    ContactRenamed,
    ContactUnmerged,
    DealAssigned,
    DealOpened,
    IdentifierAdded,
    IdentifierRemoved,
)
from crm.shared import ContactIdentifier, Payer
from crm.state import Deal
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import KnownBy, an, call, contact_report, form, message, paid, phone

OLENA, OTHER = "+380671234567", "+380501112233"
IBAN = "UA213223130000026007233566001"
NOBODY = "33333333-3333-5333-8333-333333333333"


def test_a_card_is_made_with_all_that_is_known() -> None:
    made = operator_session().do("contact_create", name=" Olena ", phones=["067 123 45 67"], emails=["O@ua.net"])
    made.then(
        an(
            ContactCreated,
            name="Olena",
            source="hand",
            identifiers=(
                ContactIdentifier("phone", OLENA, "067 123 45 67"),
                ContactIdentifier("email", "o@ua.net", "O@ua.net"),
            ),
        )
    )
    made.when(form("1", phones=[OLENA])).then(
        an(DealOpened, contact_id=made.contact("Olena").contact_id), an(DealAssigned)
    )


def test_who_is_known_already_is_not_made_again() -> None:
    shop = operator_session(form("1", name="Olena", phones=[OLENA]))
    message = shop.refuses("contact_create", "phones", Code.TAKEN, name="O.", phones=["067 123-45-67"])
    who = f"'Olena' ({shop.contact().contact_id})"
    assert message == f"{OLENA} belongs to {who}. Nothing was changed: change that card, or merge the two."
    shop.refuses("contact_create", "phones", Code.INVALID, name="O.", phones=["who?"])
    shop.refuses("contact_create", "emails", Code.INVALID, name="O.", emails=["o at ua"])
    shop.refuses("contact_create", "name", Code.REQUIRED, name=" ")


def test_a_key_of_another_system_is_given_by_hand_and_moves_to_another_card() -> None:
    shop = operator_session().do("contact_create", name="Olena", accounts=["shop:42"])
    shop.then(an(ContactCreated, identifiers=KnownBy(shop="42")))
    first = shop.contact("Olena").contact_id
    shop.when(contact_report("1", 1, name="Olena K.", phones=(phone(OLENA),)))
    assert shop.contact("Olena").identifiers == ("shop:42", f"phone:{OLENA}")
    shop.do("contact_create", name="Petro")
    other = shop.contact("Petro").contact_id
    why = shop.refuses("contact_change", "addAccounts", Code.TAKEN, contact_id=other, add_accounts=["shop:42"])
    assert why.startswith(f"42 belongs to 'Olena' ({first}). Nothing was changed")
    shop.do("contact_change", contact_id=first, remove_accounts=["shop:42"])
    shop.do("contact_change", contact_id=other, add_accounts=["shop:42"])
    shop.when(contact_report("2", 2, phones=(phone(OTHER),)))
    assert shop.contact("Petro").identifiers == ("shop:42", f"phone:{OTHER}")
    for wrong in ("42", "phone:+380", "shop:", "shop: 42", "Shop:42"):
        shop.refuses("contact_change", "addAccounts", Code.INVALID, contact_id=other, add_accounts=[wrong])


def test_a_card_is_changed_in_one_go() -> None:
    shop = operator_session(form("1", name="Olena", phones=[OLENA]))
    id = shop.contact().contact_id
    version = shop.contact().version
    said = {"contact_id": id, "expected_version": version, "name": "Olena K.", "add_phones": [OTHER]}
    shop.do("contact_change", **said, remove_phones=[OLENA]).then(
        an(ContactRenamed, name="Olena K.", why="by hand"),
        an(IdentifierRemoved, value=OLENA),
        an(IdentifierAdded, value=OTHER),
    )
    assert shop.contact().identifiers == (f"phone:{OTHER}",)
    assert shop.contact().version == version + 3
    shop.refuses("contact_change", "expectedVersion", Code.VERSION_CONFLICT, **said)
    shop.refuses("contact_change", "", Code.UNCHANGED, contact_id=id, name="Olena K.")
    shop.refuses("contact_change", "removePhones", Code.NOT_FOUND, contact_id=id, remove_phones=[OLENA])
    shop.refuses("contact_change", "contactId", Code.NOT_FOUND, contact_id=NOBODY, name="x")


def test_a_number_that_was_removed_finds_nobody() -> None:
    shop = operator_session(form("1", name="Olena", phones=[OLENA]))
    shop.do("contact_change", contact_id=shop.contact().contact_id, remove_phones=[OLENA])
    shop.when(form("2", name="Petro", phones=[OLENA]))
    assert {card.name for card in shop.contacts()} == {"Olena", "Petro"}


def two_cards() -> OperatorSession:
    return operator_session(form("1", name="Olena", phones=[OLENA]), form("2", name="Petro", phones=[OTHER]))


def test_cards_are_merged_and_known_by_what_both_had() -> None:
    shop = two_cards()
    olena, petro = shop.contact("Olena"), shop.contact("Petro")
    shop.do("contact_merge", contact_id=petro.contact_id, into_id=olena.contact_id, why="her new number").then(
        an(ContactMerged, contact_id=petro.contact_id, into_id=olena.contact_id, why="her new number"),
        an(IdentifierAdded, contact_id=olena.contact_id, value=OTHER, from_id=petro.contact_id),
        an(ContactAbsorbed, contact_id=olena.contact_id, other_id=petro.contact_id, name="Petro", fields={}),
    )
    shop.when(form("3", form="B", phones=[OTHER])).then(an(DealOpened, contact_id=petro.contact_id), an(DealAssigned))
    assert card(shop.state, petro.contact_id) == shop.contact("Olena"), "where it is shown"


def test_what_cannot_be_merged() -> None:
    shop = two_cards()
    olena, petro = shop.contact("Olena").contact_id, shop.contact("Petro").contact_id
    shop.refuses("contact_merge", "intoId", Code.INVALID, contact_id=olena, into_id=olena)
    shop.refuses("contact_merge", "intoId", Code.NOT_FOUND, contact_id=olena, into_id=NOBODY)
    shop.do("contact_merge", contact_id=petro, into_id=olena)
    message = shop.refuses("contact_merge", "contactId", Code.MERGED, contact_id=petro, into_id=olena)
    assert message == f"This card was merged into {olena}. Nothing was changed."
    shop.refuses("contact_merge", "intoId", Code.MERGED, contact_id=olena, into_id=petro)
    shop.refuses("contact_change", "contactId", Code.MERGED, contact_id=petro, name="x")


def test_an_undone_merge_gives_back_two_cards_and_later_events_to_the_right_one() -> None:
    shop = two_cards()
    olena, petro = shop.contact("Olena").contact_id, shop.contact("Petro").contact_id
    shop.do("contact_merge", contact_id=petro, into_id=olena)
    shop.do("contact_unmerge", contact_id=petro, why="her brother").then(
        an(ContactUnmerged, contact_id=petro, from_id=olena, why="her brother"),
        an(IdentifierRemoved, contact_id=olena, kind="phone", value=OTHER),
        an(ContactReleased, contact_id=olena, other_id=petro),
    )
    assert shop.contact("Olena").identifiers == (f"phone:{OLENA}",)
    assert shop.contact("Petro").identifiers == (f"phone:{OTHER}",)
    shop.when(form("3", form="B", phones=[OTHER])).then(an(DealOpened, contact_id=petro), an(DealAssigned))
    shop.when(form("4", form="B", phones=[OLENA])).then(an(DealOpened, contact_id=olena), an(DealAssigned))
    shop.refuses("contact_unmerge", "contactId", Code.INVALID, contact_id=petro)


def test_what_came_between_a_merge_and_its_undoing_is_on_the_right_side_too() -> None:
    """By whose number it came: a form, a call, a payment's account, an e-mail that was learnt meanwhile."""
    shop = two_cards()
    olena, petro = shop.contact("Olena").contact_id, shop.contact("Petro").contact_id
    shop.do("contact_merge", contact_id=petro, into_id=olena)
    mail = form("3", form="B", phones=[OTHER], emails=("p@ua.net",), amount_minor=700, reference="R-3")
    shop.when(mail).then(
        an(IdentifierAdded, contact_id=petro, value="p@ua.net"),
        an(IdentifierAdded, contact_id=olena, value="p@ua.net"),
        an(DealOpened, contact_id=petro),
        an(DealAssigned),
    )
    shop.when(call("4", "ringing", OTHER))
    assert [event.contact_id for event in shop.every(CallOpened)] == [petro]
    shop.when(paid("5", 700, reference="R-3", payer=Payer(iban=IBAN)))
    shop.when(form("6", form="B", phones=[OLENA], emails=("o@ua.net",)))
    assert set(shop.contact("Olena").identifiers) == {
        f"phone:{OLENA}", f"phone:{OTHER}", "email:p@ua.net", "email:o@ua.net", f"iban:{IBAN}",
    }  # fmt: skip
    shop.do("contact_unmerge", contact_id=petro)
    assert set(shop.contact("Olena").identifiers) == {f"phone:{OLENA}", "email:o@ua.net"}
    assert set(shop.contact("Petro").identifiers) == {f"phone:{OTHER}", "email:p@ua.net", f"iban:{IBAN}"}
    assert [event.contact_id for event in shop.every(DealOpened)[-2:]] == [petro, olena]


def test_who_has_the_one_card_gets_the_deals_of_the_other_while_they_are_merged() -> None:
    shop = two_cards()
    olena, petro = shop.contact("Olena").contact_id, shop.contact("Petro").contact_id
    shop.do("contact_merge", contact_id=petro, into_id=olena)
    before = {deal.owner for deal in shop.state.things.values() if isinstance(deal, Deal) and deal.contact_id == olena}
    shop.when(form("3", form="B", phones=[OTHER])).then(
        an(DealOpened, contact_id=petro), an(DealAssigned, owner=before.pop())
    )


def test_a_card_in_the_middle_of_a_chain_takes_its_own_along() -> None:
    """A into B, B into C. B stands again: with what A brought; C has its own alone."""
    shop = two_cards().when(form("3", name="Ivan", phones=["+380630000001"]))
    a, b, c = (shop.contact(name).contact_id for name in ("Olena", "Petro", "Ivan"))
    shop.do("contact_merge", contact_id=a, into_id=b).do("contact_merge", contact_id=b, into_id=c)
    shop.do("contact_unmerge", contact_id=b)
    assert set(shop.contact("Petro").identifiers) == {f"phone:{OLENA}", f"phone:{OTHER}"}
    assert shop.contact("Ivan").identifiers == ("phone:+380630000001",)
    shop.when(form("4", form="B", phones=[OTHER])).then(an(DealOpened, contact_id=b), an(DealAssigned))
    shop.do("contact_unmerge", contact_id=a)
    assert shop.contact("Petro").identifiers == (f"phone:{OTHER}",)
    shop.when(form("5", form="B", phones=[OLENA])).then(an(DealOpened, contact_id=a), an(DealAssigned))


def test_a_card_at_the_end_of_a_chain_leaves_all_that_are_above_it() -> None:
    shop = two_cards().when(form("3", name="Ivan", phones=["+380630000001"]))
    a, b, c = (shop.contact(name).contact_id for name in ("Olena", "Petro", "Ivan"))
    shop.do("contact_merge", contact_id=a, into_id=b).do("contact_merge", contact_id=b, into_id=c)
    shop.do("contact_unmerge", contact_id=a)
    assert shop.contact("Ivan").identifiers == ("phone:+380630000001", f"phone:{OTHER}")
    shop.when(form("4", form="B", phones=["+380630000001"])).then(an(DealOpened, contact_id=c), an(DealAssigned))
    shop.when(form("5", form="B", phones=[OLENA])).then(an(DealOpened, contact_id=a), an(DealAssigned))


def test_a_merge_that_a_chat_led_to_can_be_undone_too() -> None:
    shared = message("2", message="2", shared_phone=phone(OLENA), shared_is_own=True)
    shop = operator_session(form("1", name="Olena", phones=[OLENA]), message("1", sender_name="O."), shared)
    (chat,) = [event.contact_id for event in shop.every(ContactMerged)]
    shop.do("contact_unmerge", contact_id=chat)
    assert shop.contact("O.").identifiers == ("telegram:77",)
    assert shop.contact("Olena").identifiers == (f"phone:{OLENA}",)


def test_custom_fields_are_of_defined_types() -> None:
    shop = operator_session(form("1", name="Olena", phones=[OLENA]))
    id = shop.contact().contact_id
    shop.refuses("contact_change", "fields.vip", Code.NOT_FOUND, contact_id=id, fields={"vip": "true"})
    shop.do("field_define", entity="contact", key="vip", type="boolean")
    shop.refuses("contact_change", "fields.vip", Code.INVALID, contact_id=id, fields={"vip": '"yes"'})
    shop.do("contact_change", contact_id=id, fields={"vip": "true"}).then(an(ContactChanged, fields={"vip": "true"}))
